import { createHash } from 'node:crypto';
import type { Reducer } from '#modules/kit/index.ts';

export type Step = Reducer['on'][string];

/** One reducer that hears one event type. `index`: the reducer's place in the plan. */
export type Listener = { readonly folded: Folded; readonly step: Step };

/** A reducer as the owner sees it. */
export type Folded = {
  readonly index: number;
  readonly reducer: Reducer;
  /** `<name>.v<version>`, how its keys begin. */
  readonly name: string;
  /** The fields of its scope besides the student. */
  readonly further: Reducer['scope']['fields'];
};

/** All reducers, in order of name, and who hears what. */
export type Plan = {
  readonly all: readonly Folded[];
  /** The same as a set: what nearly every student has folded. */
  readonly whole: ReadonlySet<Folded>;
  readonly build: string;
  listeners(source: string, event: string): readonly Listener[];
  /** By the beginning of its keys. */
  byName(name: string): Folded | undefined;
  of(reducer: Reducer): Folded | undefined;
  /** The reducers whose emits this one hears, directly or through others. */
  feeders(folded: Folded): readonly Folded[];
  /** Whoever hears what these emit, directly or through others, themselves included. */
  withFed(some: Iterable<Folded>): ReadonlySet<Folded>;
  /** Whoever these hear, directly or through others, themselves included. */
  withFeeders(some: Iterable<Folded>): ReadonlySet<Folded>;
};

const NOBODY: readonly Listener[] = [];

/** `build`: hash of what folds; by default of names and versions. Throws for a reducer whose scope has no student. */
export function planOf(reducers: readonly Reducer[], build?: string): Plan {
  const all = [...reducers].sort((a, b) => compare(a.name, b.name) || a.version - b.version).map(foldedOf);
  const heard = hearingOf(all);
  const feeds = new Map(all.map((folded) => [folded, heardBy(folded, heard)]));
  const fedBy = new Map(
    all.map((folded) => [folded, all.filter((other) => feeds.get(other)?.includes(folded))]),
  );
  const feeders = new Map(
    all.map((folded) => [folded, [...reach([folded], fedBy)].filter((one) => one !== folded)]),
  );
  const byName = new Map(all.map((folded) => [folded.name, folded]));
  const byReducer = new Map(all.map((folded) => [folded.reducer, folded]));
  return {
    all,
    whole: new Set(all),
    build:
      build ??
      createHash('sha256')
        .update([...byName.keys()].join('\n'))
        .digest('hex')
        .slice(0, 16),
    listeners: (source, event) => heard.get(source)?.get(event) ?? NOBODY,
    byName: (name) => byName.get(name),
    of: (reducer) => byReducer.get(reducer) ?? byName.get(`${reducer.name}.v${reducer.version}`),
    feeders: (folded) => feeders.get(folded) ?? [],
    withFed: (some) => reach(some, feeds),
    withFeeders: (some) => reach(some, fedBy),
  };
}

function foldedOf(reducer: Reducer, index: number): Folded {
  const further = reducer.scope.fields.filter((field) => field.name !== 'student');
  if (further.length === reducer.scope.fields.length)
    throw new Error(`the scope of reducer ${reducer.name} lacks the student`);
  return { index, reducer, name: `${reducer.name}.v${reducer.version}`, further };
}

type Hearing = Map<string, Map<string, Listener[]>>;

function hearingOf(all: readonly Folded[]): Hearing {
  const heard: Hearing = new Map();
  for (const folded of all) {
    const { source, on } = folded.reducer;
    const events = heard.get(source.name) ?? new Map<string, Listener[]>();
    heard.set(source.name, events);
    for (const [event, step] of Object.entries(on)) {
      const listeners = events.get(event) ?? [];
      events.set(event, [...listeners, { folded, step }]);
    }
  }
  return heard;
}

function heardBy(folded: Folded, heard: Hearing): readonly Folded[] {
  const { emits } = folded.reducer;
  if (!emits) return [];
  const events = heard.get(emits.source.name);
  return emits.events.flatMap((event) => (events?.get(event) ?? []).map((listener) => listener.folded));
}

function reach(some: Iterable<Folded>, next: ReadonlyMap<Folded, readonly Folded[]>): ReadonlySet<Folded> {
  const seen = new Set(some);
  for (const one of seen) for (const other of next.get(one) ?? []) seen.add(other);
  return seen;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
