import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ComponentType } from 'react';
import { renderToString } from 'react-dom/server';
import { expect } from 'vitest';
import type { AnalyticsModule, DashboardProps, Envelope, Query } from '#modules/kit/index.ts';
import { frameOf, inMemory, replay, rowsOf, student } from '#modules/kit/testing.ts';
import type { Registry } from '#server/registry.ts';

const HEADINGS = ['What it shows', 'What it reads', 'What it cannot know'];
const CLASSROOM = { id: 'class', name: 'Class', timezone: 'UTC', lessonAt: null };

type Written = {
  readonly source: string;
  readonly event: string;
  readonly student: string;
  readonly at: number;
  readonly sentAt?: number;
  readonly body: Readonly<Record<string, unknown>>;
};

/** True for modules that read events on their own account: these MUST bring a `fixture.json`. */
export function needsFixture(module: AnalyticsModule): boolean {
  return (module.reducers ?? []).length > 0 || (module.sources ?? []).some((source) => !source.isInternal);
}

/** The module's fixture as accepted events; empty without one. Throws where an event does not meet its source's schema. */
export async function fixtureOf(root: string, name: string, registry: Registry): Promise<Envelope[]> {
  const file = join(root, name, 'fixture.json');
  if (!existsSync(file)) return [];
  const written: readonly Written[] = JSON.parse(await readFile(file, 'utf8'));
  return written.map((one, i) => accepted(one, `fixture:${name}:${i + 1}`, registry));
}

function accepted({ source, event, body, ...who }: Written, id: string, registry: Registry): Envelope {
  const declared = registry.sources.get(source);
  const schema = declared?.events[event];
  if (!declared || declared.isInternal || !schema)
    throw new Error(`${id}: no client may send ${source}/${event}`);
  return { ...schema.parse(declared.before?.(event, body) ?? body), ...who, id, source, event };
}

/** Folding from memory and from the store, at once and in two halves, MUST give the same bytes and plain JSON. */
export function expectOneFold(
  module: AnalyticsModule,
  registry: Registry,
  events: readonly Envelope[],
): void {
  const live = replay(registry.reducers, events, inMemory);
  const again = replay(registry.reducers, JSON.parse(JSON.stringify(events)));
  expect(again.bytes()).toEqual(live.bytes());
  expect(replay(registry.reducers, events).bytes()).toEqual(live.bytes());
  for (const [key, state] of live.all) expect(again.all.get(key), key).toStrictEqual(state);
  const reached = [...live.all.keys()].map((key) => key.slice(0, key.indexOf('.v')));
  const own = (module.reducers ?? []).map((reducer) => reducer.name);
  if (own.length > 0)
    expect(own, 'the fixture reaches a reducer').toEqual(
      expect.arrayContaining([reached.find((name) => own.includes(name))]),
    );
}

/** The query's dashboard MUST draw the fixture's students, one of them, and nobody. */
export async function expectDrawn(
  root: string,
  module: AnalyticsModule,
  query: Query,
  registry: Registry,
  events: readonly Envelope[],
): Promise<void> {
  const file = join(root, module.name, 'dashboards', `${query.name}.tsx`);
  const { default: View }: { default: ComponentType<DashboardProps<Query>> } = await import(
    /* @vite-ignore */ pathToFileURL(file).href
  );
  const everyone = [...new Set(events.map((one) => one.student))].sort();
  expect(everyone.length, 'students in the fixture').toBeGreaterThan(0);
  for (const ids of [everyone, everyone.slice(0, 1), []]) {
    const rows = await rowsOf(
      query,
      ids.map((id) => student(id)),
      events,
      { reducers: registry.reducers },
    );
    const html = renderToString(<View {...propsOf(query, rows, events.at(-1)?.at ?? 0)} />);
    expect(html.length, `${ids.length} students drawn`).toBeGreaterThan(0);
  }
}

function propsOf(query: Query, rows: DashboardProps<Query>['rows'], lastAt: number): DashboardProps<Query> {
  return {
    rows,
    params: query.params?.parse({}),
    now: lastAt + 1000,
    frame: frameOf(query, rows),
    trouble: {},
    isLive: true,
    classroom: CLASSROOM,
    studentHref: (id) => `/students/${id}`,
  };
}

/** The README MUST say what a teacher has to know before she believes a dashboard. */
export async function expectExplained(root: string, name: string): Promise<void> {
  const readme = await readFile(join(root, name, 'README.md'), 'utf8');
  for (const heading of HEADINGS) {
    const said = readme.split(new RegExp(`^#+ \\*?${heading}\\*?\\s*$`, 'm'))[1]?.split(/^#/m)[0];
    expect(said?.trim(), `${name}/README.md under "${heading}"`).toBeTruthy();
  }
}
