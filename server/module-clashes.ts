import type { AnalyticsModule, EventSource, Reducer } from '#modules/kit/index.ts';
import { builtInSources } from '#modules/kit/index.ts';
import { builtInReducers } from './registry.ts';

/** A module as it was found: its folder's name, the file that declares it, and the views in `dashboards/`. */
export type FoundModule = {
  readonly folder: string;
  readonly file: string;
  readonly module: AnalyticsModule;
  /** Names, without ending, of the `.tsx` files in `dashboards/` that have a default export. */
  readonly dashboards: readonly string[];
};

type Owned<T> = { readonly value: T; readonly file: string };

const KIT = 'modules/kit/built-in.ts';
const REGISTRY = 'server/registry.ts';
const MOST_HOPS = 8;

/** What the modules' authors got wrong, a sentence each that names the files; empty when nothing. */
export function clashesOf(found: readonly FoundModule[]): string[] {
  const sources: Owned<EventSource>[] = [
    ...builtInSources.map((value) => ({ value, file: KIT })),
    ...owned(found, (module) => module.sources),
  ];
  const reducers = owned(found, (module) => module.reducers);
  return [
    ...found.flatMap(wrongName),
    ...twice('event source', sources),
    ...twice('reducer', [...builtInReducers.map((value) => ({ value, file: REGISTRY })), ...reducers]),
    ...found.flatMap(wrongQueries),
    ...reducers.flatMap((reducer) => undeclared(reducer, sources)),
    ...emittedTwice(reducers),
    ...tooLong(reducers),
  ];
}

function owned<T>(
  found: readonly FoundModule[],
  of: (module: AnalyticsModule) => readonly T[] | undefined,
): Owned<T>[] {
  return found.flatMap(({ module, file }) => (of(module) ?? []).map((value) => ({ value, file })));
}

function wrongName({ folder, file, module }: FoundModule): string[] {
  return module.name === folder ? [] : [`${file} names its module ${module.name}, its folder is ${folder}`];
}

function twice(what: string, all: readonly Owned<{ readonly name: string }>[]): string[] {
  const first = new Map<string, string>();
  return all.flatMap(({ value: { name }, file }) => {
    const other = first.get(name);
    first.set(name, other ?? file);
    return other === undefined ? [] : [`the ${what} ${name} has two owners: ${other} and ${file}`];
  });
}

function wrongQueries({ folder, file, module, dashboards }: FoundModule): string[] {
  const names = (module.queries ?? []).map((query) => query.name);
  const view = (name: string) => `modules/${folder}/dashboards/${name}.tsx`;
  return [
    ...new Set(
      names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${file} has two queries ${name}`),
    ),
    ...names
      .filter((name) => !dashboards.includes(name))
      .map((name) => `${file} has the query ${name}, and ${view(name)} has no view by default export`),
    ...dashboards
      .filter((name) => name !== 'prepare' && !names.includes(name))
      .map((name) => `${view(name)} draws the query ${name}, which ${file} does not have`),
  ];
}

function undeclared(
  { value: reducer, file }: Owned<Reducer>,
  sources: readonly Owned<EventSource>[],
): string[] {
  const named = (source: EventSource) => sources.find(({ value }) => value.name === source.name);
  const wrong = (does: string, source: EventSource): string[] => {
    const other = named(source);
    if (!other)
      return [`${file}: the reducer ${reducer.name} ${does} ${source.name}, which no module declares`];
    if (other.value === source) return [];
    return [
      `${file}: the reducer ${reducer.name} ${does} a ${source.name} of its own, ${other.file} declares it`,
    ];
  };
  return [
    ...wrong('folds', reducer.source),
    ...(reducer.emits ? wrong('emits into', reducer.emits.source) : []),
  ];
}

function emittedTwice(reducers: readonly Owned<Reducer>[]): string[] {
  const first = new Map<string, Owned<Reducer>>();
  return reducers.flatMap((one) =>
    emittedBy(one.value).flatMap((event) => {
      const over = `${one.value.source.name} ${event}`;
      const other = first.get(over) ?? one;
      first.set(over, other);
      if (other === one) return [];
      return [
        `the reducers ${other.value.name} and ${one.value.name} over ${one.value.source.name} both emit ${event}: ${other.file} and ${one.file}`,
      ];
    }),
  );
}

function emittedBy({ emits }: Reducer): string[] {
  return (emits?.events ?? []).map((event) => `${emits?.source.name}/${event}`);
}

/** Walks the graph *handled event → emitted event* and names a path that comes back to itself or is too long. */
function tooLong(reducers: readonly Owned<Reducer>[]): string[] {
  const handling = (event: string) =>
    reducers.filter(({ value }) =>
      Object.keys(value.on).some((name) => `${value.source.name}/${name}` === event),
    );
  const longest = new Map<string, number>();
  const wrong: string[] = [];
  const walk = (event: string, path: readonly string[], files: readonly string[]): number => {
    if (path.includes(event)) {
      const cycle = [...path.slice(path.indexOf(event)), event];
      wrong.push(`events go round: ${cycle.join(' → ')} (${[...new Set(files)].join(', ')})`);
      return 0;
    }
    const known = longest.get(event);
    if (known !== undefined) return known;
    const hops = handling(event).flatMap(({ value, file }) =>
      emittedBy(value).map((next) => 1 + walk(next, [...path, event], [...files, file])),
    );
    longest.set(event, Math.max(0, ...hops));
    return Math.max(0, ...hops);
  };
  for (const { value, file } of reducers) {
    for (const name of Object.keys(value.on)) {
      const event = `${value.source.name}/${name}`;
      const isKnown = longest.has(event);
      const hops = walk(event, [], []);
      if (!isKnown && hops > MOST_HOPS)
        wrong.push(`${file}: ${event} sets off ${hops} hops of emitted events, ${MOST_HOPS} are allowed`);
    }
  }
  return wrong;
}
