import { openMemoryStore } from '#server/state/memory-store.ts';
import type { Flush, StateStore } from '#server/state/state-store.ts';
import type { Random } from './random.ts';
import type { Life, VirtualTime } from './virtual-time.ts';

/** What a store says of itself at one moment: its checkpoint, and the state of each key as JSON. */
export type Picture = {
  readonly checkpoint: number;
  readonly states: ReadonlyMap<string, { readonly state: unknown; readonly isHalted: boolean }>;
};

/** A store that outlives the processes that use it, and its faults. */
export type FaultyStore = {
  /** What one process sees of it. What it asked for may arrive after its end. */
  portFor(life: Life): StateStore;
  slowUntil(ms: number): void;
  /** Refuses before it does anything. */
  failUntil(ms: number): void;
  /** Does what it is asked, and its answer is lost. */
  muteUntil(ms: number): void;
  /** Falls back to what it was after this share of all that it was ever asked for. */
  goBack(share: number): Promise<void>;
  heal(): void;
  picture(): Promise<Picture>;
};

type Claim = Parameters<StateStore['claim']>[0];
type Done = { readonly claim: Claim } | { readonly flush: Flush } | { readonly emptied: number };

const SLOW_MS = 3_000;

export function openFaultyStore(time: VirtualTime, random: Random): FaultyStore {
  let store = openMemoryStore();
  let log: Done[] = [];
  const until = { slow: 0, fail: 0, mute: 0 };

  const delay = () => (time.now() < until.slow ? random.below(SLOW_MS) : random.below(4));

  /** There, at the store's own pace whatever becomes of the process, and back. */
  async function ask<T>(life: Life, act: () => Promise<T>): Promise<T> {
    const doomed = time.now() < until.fail;
    const mute = time.now() < until.mute && random.chance(0.7);
    const outcome = Promise.withResolvers<T>();
    time.schedule(null, delay(), () => {
      if (doomed) return outcome.reject(new Error('no connection'));
      void act().then(outcome.resolve, outcome.reject);
    });
    const settled = await outcome.promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await time.pass(life, delay());
    if ('error' in settled) throw settled.error;
    if (mute) throw new Error('no answer');
    return settled.value;
  }

  return {
    portFor: (life) => ({
      flushBytes: store.flushBytes,
      longestPaceMs: store.longestPaceMs,
      claim: (claim) =>
        ask(life, () => {
          log.push({ claim });
          return store.claim(claim);
        }),
      load: (student) => ask(life, () => store.load(student)),
      flush(asked) {
        const flush = { ...asked, writes: [...asked.writes] };
        return ask(life, () => {
          log.push({ flush });
          return store.flush(flush);
        });
      },
      empty: (fence) =>
        ask(life, () => {
          log.push({ emptied: fence });
          return store.empty(fence);
        }),
      async *students() {
        yield* await ask(life, () => everyone(store));
      },
      close: async () => {},
    }),
    slowUntil(ms) {
      until.slow = ms;
    },
    failUntil(ms) {
      until.fail = ms;
    },
    muteUntil(ms) {
      until.mute = ms;
    },
    async goBack(share) {
      log = log.slice(0, Math.floor(log.length * share));
      store = openMemoryStore();
      for (const done of log) await again(store, done);
    },
    heal: () => void Object.assign(until, { slow: 0, fail: 0, mute: 0 }),
    picture: () => pictureOf(store),
  };
}

async function everyone(store: StateStore): Promise<string[]> {
  const students: string[] = [];
  for await (const student of store.students()) students.push(student);
  return students;
}

async function again(store: StateStore, done: Done): Promise<void> {
  if ('flush' in done) await store.flush(done.flush);
  else if ('emptied' in done) await store.empty(done.emptied);
  // A claim that was refused is refused again.
  else await store.claim(done.claim).catch(() => {});
}

async function pictureOf(store: StateStore): Promise<Picture> {
  const states = new Map<string, { state: unknown; isHalted: boolean }>();
  const { checkpoint } = await store.load('');
  for (const student of await everyone(store))
    for (const [field, value] of (await store.load(student)).fields) {
      if (!field.includes(':')) continue;
      const stored = JSON.parse(value) as { s: unknown; h?: unknown };
      states.set(field, { state: stored.s, isHalted: stored.h !== undefined && stored.h !== null });
    }
  return { checkpoint, states };
}
