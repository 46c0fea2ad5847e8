import { hash } from 'node:crypto';
import { z } from 'zod';
import {
  defineEventSource,
  defineReducer,
  keyField,
  only,
  type Reducer,
  scope,
  student,
} from '#modules/kit/index.ts';

export const marks = defineEventSource({
  name: 'marks',
  events: {
    mark: z.object({ doc: z.string(), n: z.number() }),
    ripple: z.object({ doc: z.string(), n: z.number() }),
  },
});
const echoes = defineEventSource({
  name: 'echoes',
  isInternal: true,
  events: { echo: z.object({ doc: z.string(), n: z.number() }) },
});
const doc = keyField('doc', (event: { doc: string }) => event.doc);
/** At every event whose `n` divides by this, `fragile` fails. */
const FRAGILE = 11;

const sha256 = (text: string) => hash('sha256', text);

const count = defineReducer({
  name: 'count',
  source: marks,
  scope: scope(student),
  initial: { n: 0 },
  on: { mark: (state) => ({ n: state.n + 1 }), ripple: (state) => ({ n: state.n + 1 }) },
});
const ids = defineReducer({
  name: 'ids',
  source: marks,
  scope: scope(student, doc),
  initial: [] as readonly string[],
  on: { mark: (state, event) => [...state, event.id], ripple: (state, event) => [...state, event.id] },
});
const runningHash = defineReducer({
  name: 'running-hash',
  source: marks,
  scope: scope(student),
  initial: '',
  on: {
    mark: (state, event) => sha256(`${state}\n${event.id}`),
    ripple: (state, event) => sha256(`${state}\n${event.id}`),
  },
});
const rippler = defineReducer({
  name: 'rippler',
  source: marks,
  scope: scope(student),
  initial: { n: 0 },
  emits: only(echoes, 'echo'),
  on: {
    ripple: (state, event, emit) => {
      emit('echo', { doc: event.doc, n: state.n });
      emit('echo', { doc: event.doc, n: state.n + 0.5 });
      return { n: state.n + 1 };
    },
  },
});
const echoed = defineReducer({
  name: 'echoed',
  source: echoes,
  scope: scope(student, doc),
  initial: [] as readonly string[],
  on: { echo: (state, event) => [...state, `${event.n} ${event.id}`] },
});
const fragile = defineReducer({
  name: 'fragile',
  source: marks,
  scope: scope(student, doc),
  initial: [] as readonly number[],
  on: {
    mark(state, event) {
      if (event.n % FRAGILE === 0) throw new Error('this step fails');
      return [...state, event.n];
    },
  },
});
export const FOLDS: readonly Reducer[] = [count, echoed, fragile, ids, rippler, runningHash];

type Fields = Readonly<Record<string, unknown>>;
/** What a fold needs of an archived entry. */
export type FoldedEntry = {
  readonly o: number;
  readonly s?: string;
  readonly p?: string;
  readonly e?: number;
  readonly f?: number;
  readonly src?: string;
  readonly ev?: readonly { readonly event: string; readonly body: Fields }[];
};
/** `isHalted`: the key stands still from its failure on. */
export type Expected = { readonly state: unknown; readonly isHalted: boolean };

/** All states after the entries up to `last`, by state key: the reducers once more, written without anything of the engine. */
export function foldAll(entries: readonly FoldedEntry[], last: number): Map<string, Expected> {
  const states = new Map<string, Expected>();
  for (const entry of entries) {
    if (entry.o > last || entry.src !== 'marks') continue;
    entry.ev?.forEach(({ event, body }, i) => {
      foldOne(states, `${entry.p}:${entry.e}:${(entry.f ?? 0) + i}`, String(entry.s), event, body);
    });
  }
  return states;
}

function foldOne(states: Map<string, Expected>, id: string, who: string, event: string, body: Fields): void {
  const whose = `student=${encodeURIComponent(who)}`;
  const about = `${whose}:doc=${encodeURIComponent(String(body.doc))}`;
  const put = (key: string, state: unknown) => states.set(key, { state, isHalted: false });
  const listOf = (key: string) => (states.get(key)?.state ?? []) as readonly unknown[];
  const numberOf = (key: string) => ((states.get(key)?.state ?? { n: 0 }) as { n: number }).n;
  put(`count.v1:${whose}`, { n: numberOf(`count.v1:${whose}`) + 1 });
  put(`ids.v1:${about}`, [...listOf(`ids.v1:${about}`), id]);
  put(`running-hash.v1:${whose}`, sha256(`${states.get(`running-hash.v1:${whose}`)?.state ?? ''}\n${id}`));
  if (event === 'mark') {
    const key = `fragile.v1:${about}`;
    const list = listOf(key);
    if (states.get(key)?.isHalted) return;
    if (Number(body.n) % FRAGILE === 0) states.set(key, { state: list, isHalted: true });
    else put(key, [...list, body.n]);
    return;
  }
  const n = numberOf(`rippler.v1:${whose}`);
  put(`rippler.v1:${whose}`, { n: n + 1 });
  const heard = [n, n + 0.5].map((said, nth) => `${said} ${echoId(id, nth + 1)}`);
  put(`echoed.v1:${about}`, [...listOf(`echoed.v1:${about}`), ...heard]);
}

/** Ids of emitted events come from their parent's (usage-pipeline.md §2.3). */
function echoId(parent: string, nth: number): string {
  return sha256(`${parent}\nrippler\necho\n${nth}\n`).slice(0, 32);
}
