import { createHash } from 'node:crypto';
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
import type { Archive } from '#server/archive/archive.ts';
import type { Draft } from '#server/archive/entry.ts';
import type { Log } from '#server/log.ts';

/** Events of the tests of this folder: `mark` is kept in order, `ripple` makes a cascade. */
export const marks = defineEventSource({
  name: 'marks',
  events: {
    mark: z.object({ doc: z.string(), n: z.number() }),
    ripple: z.object({ doc: z.string(), n: z.number() }),
  },
});
export const echoes = defineEventSource({
  name: 'echoes',
  isInternal: true,
  events: { echo: z.object({ doc: z.string(), n: z.number() }) },
});
const doc = keyField('doc', (event: { doc: string }) => event.doc);

/** Three folds that show every event that was lost, doubled or out of order. */
export const count = defineReducer({
  name: 'count',
  source: marks,
  scope: scope(student),
  initial: { n: 0 },
  on: { mark: (state) => ({ n: state.n + 1 }), ripple: (state) => ({ n: state.n + 1 }) },
});
export const ids = defineReducer({
  name: 'ids',
  source: marks,
  scope: scope(student, doc),
  initial: [] as readonly string[],
  on: { mark: (state, event) => [...state, event.id], ripple: (state, event) => [...state, event.id] },
});
export const runningHash = defineReducer({
  name: 'running-hash',
  source: marks,
  scope: scope(student),
  initial: '',
  on: { mark: (state, event) => chain(state, event.id), ripple: (state, event) => chain(state, event.id) },
});
/** Emits what its state says, so that an emission that is lost or doubled shows. */
export const rippler = defineReducer({
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
export const echoed = defineReducer({
  name: 'echoed',
  source: echoes,
  scope: scope(student, doc),
  initial: [] as readonly string[],
  on: { echo: (state, event) => [...state, `${event.n} ${event.id}`] },
});
export const folds: readonly Reducer[] = [count, ids, runningHash, rippler, echoed];
/** As threads that fold look for them. */
export const reducers = folds;

export function chain(state: string, id: string): string {
  return createHash('sha256').update(`${state}\n${id}`).digest('hex');
}

export function registryOf(reducers: readonly Reducer[]) {
  const build = reducers.map(({ name, version }) => `${name}.v${version}`).join(' ');
  return { reducers, build };
}

export type Sent = { readonly student: string; readonly doc: string; readonly event?: 'mark' | 'ripple' };

/** Drafts as `accept` makes them: one entry per run of events of one student. */
export function drafting() {
  const seqs = new Map<string, number>();
  return (student: string, sent: readonly Omit<Sent, 'student'>[], at = 1_000): Draft => {
    const first = (seqs.get(student) ?? 0) + 1;
    seqs.set(student, first + sent.length - 1);
    const ev = sent.map(({ doc, event = 'mark' }, i) => ({ event, body: { doc, n: first + i } }));
    return { k: 'batch', t: at, s: student, p: `p-${student}`, e: 1, f: first, src: 'marks', off: 0, ev };
  };
}

/** Resolves when the drafts are durable and the owner has heard them. */
export function store(archive: Archive, drafts: readonly Draft[]): Promise<void> {
  return new Promise((done, fail) =>
    archive.append(drafts, (refused) => (refused ? fail(new Error(refused)) : setImmediate(done))),
  );
}

/** Every state that the archive should give for these reducers, folded without anything of this folder. */
export async function oracle(archive: Archive): Promise<ReadonlyMap<string, unknown>> {
  const states = new Map<string, any>();
  for await (const entries of archive.read(0))
    for (const entry of entries)
      for (const [i, { event, body }] of (entry.ev ?? []).entries()) {
        const id = `${entry.p}:${entry.e}:${(entry.f ?? 0) + i}`;
        const who = encodeURIComponent(entry.s ?? '');
        const about = `student=${who}:doc=${encodeURIComponent(String(body.doc))}`;
        const n = states.get(`count.v1:student=${who}`)?.n ?? 0;
        states.set(`count.v1:student=${who}`, { n: n + 1 });
        states.set(`ids.v1:${about}`, [...(states.get(`ids.v1:${about}`) ?? []), id]);
        const hash = `running-hash.v1:student=${who}`;
        states.set(hash, chain(states.get(hash) ?? '', id));
        if (event !== 'ripple') continue;
        const rippled = states.get(`rippler.v1:student=${who}`)?.n ?? 0;
        states.set(`rippler.v1:student=${who}`, { n: rippled + 1 });
        const heard = [rippled, rippled + 0.5].map((value, at) => `${value} ${echoId(id, at + 1)}`);
        states.set(`echoed.v1:${about}`, [...(states.get(`echoed.v1:${about}`) ?? []), ...heard]);
      }
  return states;
}

function echoId(parent: string, nth: number): string {
  return createHash('sha256').update(`${parent}\nrippler\necho\n${nth}\n`).digest('hex').slice(0, 32);
}

export type Fact = { readonly level: string; readonly fact: string } & Record<string, unknown>;

/** A log that keeps what it is told. */
export function memoryLog(): Log & { readonly facts: readonly Fact[] } {
  const facts: Fact[] = [];
  const keep = (level: string) => (fields: Record<string, unknown>, fact: string) =>
    void facts.push({ ...fields, level, fact });
  return { facts, info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** Small numbers from a seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let a = seed;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
