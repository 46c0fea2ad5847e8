import { createHash } from 'node:crypto';
import type { AnalyticsModule, EventSource, Query, Reducer } from '#modules/kit/index.ts';
import { blob, builtInSources, openConnections } from '#modules/kit/index.ts';

export type RegisteredQuery = { readonly module: AnalyticsModule; readonly query: Query };

/** All that the modules declare, looked up by name. Built once at the start; holds no state. */
export type Registry = {
  readonly modules: readonly AnalyticsModule[];
  /** By the `source` that clients send, the kit's own sources included. */
  readonly sources: ReadonlyMap<string, EventSource>;
  /** By name. */
  readonly reducers: readonly Reducer[];
  /** By name and version as in a state key: `doc-text.v1`. */
  readonly reducerByKeyName: ReadonlyMap<string, Reducer>;
  /** The reducers with a step for this event, by name: the order in which they are applied. */
  readonly listeners: (source: string, event: string) => readonly Reducer[];
  readonly queries: readonly RegisteredQuery[];
  readonly findQuery: (module: string, query: string) => RegisteredQuery | undefined;
  /** The reducers whose emits, directly or over others, feed this one. */
  readonly fed: (reducer: Reducer) => readonly Reducer[];
  /** Hash over names and versions of all reducers: states that another build folded are folded again. */
  readonly build: string;
  /** Address of a module whose export `reducers` is the same in another thread; absent where these are no installed modules. */
  readonly file?: string;
};

/** Reducers that the server itself needs, whatever modules there are. */
export const builtInReducers: readonly Reducer[] = [blob, openConnections];
const NOBODY: readonly Reducer[] = [];

/** Looks nothing up on disk and refuses nothing; `loadModules` has checked what it is given. */
export function buildRegistry(modules: readonly AnalyticsModule[]): Registry {
  const reducers = [...builtInReducers, ...modules.flatMap((module) => module.reducers ?? [])].toSorted(
    byName,
  );
  const queries = modules.flatMap((module) => (module.queries ?? []).map((query) => ({ module, query })));
  const queryByPath = new Map(queries.map((found) => [`${found.module.name}/${found.query.name}`, found]));
  const listening = listenersOf(reducers);
  const feeders = new Map(reducers.map((reducer) => [reducer, feedersOf(reducer, reducers)]));
  const fed = (reducer: Reducer) => feeders.get(reducer) ?? NOBODY;
  return {
    modules,
    sources: new Map(
      [...builtInSources, ...modules.flatMap((module) => module.sources ?? [])].map((source) => [
        source.name,
        source,
      ]),
    ),
    reducers,
    reducerByKeyName: new Map(reducers.map((reducer) => [keyNameOf(reducer), reducer])),
    listeners: (source, event) => listening.get(source)?.get(event) ?? NOBODY,
    queries,
    findQuery: (module, query) => queryByPath.get(`${module}/${query}`),
    fed,
    build: createHash('sha256').update(reducers.map(keyNameOf).join('\n')).digest('hex'),
  };
}

function keyNameOf({ name, version }: Reducer): string {
  return `${name}.v${version}`;
}

/** In code unit order, which no locale changes: the order decides the ids of emitted events. */
function byName(one: Reducer, other: Reducer): number {
  return one.name < other.name ? -1 : Number(one.name > other.name);
}

function listenersOf(reducers: readonly Reducer[]): Map<string, Map<string, Reducer[]>> {
  const sources = new Map<string, Map<string, Reducer[]>>();
  for (const reducer of reducers) {
    const events = sources.get(reducer.source.name) ?? new Map<string, Reducer[]>();
    sources.set(reducer.source.name, events);
    for (const event of Object.keys(reducer.on)) events.set(event, [...(events.get(event) ?? []), reducer]);
  }
  return sources;
}

function feedersOf(target: Reducer, reducers: readonly Reducer[]): readonly Reducer[] {
  const found = new Set<Reducer>();
  const add = (fed: Reducer): void => {
    for (const reducer of reducers)
      if (!found.has(reducer) && feeds(reducer, fed)) {
        found.add(reducer);
        add(reducer);
      }
  };
  add(target);
  return reducers.filter((reducer) => found.has(reducer));
}

function feeds({ emits }: Reducer, fed: Reducer): boolean {
  return emits?.source.name === fed.source.name && emits.events.some((event) => Object.hasOwn(fed.on, event));
}
