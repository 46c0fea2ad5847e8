import type { Entry } from '#server/archive/entry.ts';
import { isFolded } from './apply.ts';
import { after, type Core, isOver, turn } from './core.ts';
import { type Hot, reasonOf } from './hot.ts';
import type { HotStudent } from './student.ts';
import type { WriteBehind } from './write-behind.ts';

/** Brings the archive's entries to the states, strictly in order of offset. */
export type Feed = {
  /** Starts, or starts again at `core.applied + 1`. */
  run(): void;
  /** Whoever waits (for entries, or for the store) looks again. */
  wake(): void;
  hear(entries: readonly Entry[]): void;
  /** Resolves when all that was durable at the call is applied; never while the store is silent. */
  reach(offset: number): Promise<void>;
};

/** The main loop is ours for so long at a time. */
const SLICE_MS = 10;
/** Where the rest of the loop takes longer for a turn, we take as long, or we would fall behind for ever; but no longer. */
const LONGEST_SLICE_MS = 100;
/** Entries whose students are loaded together. */
const AHEAD = 256;
/** Entries kept in memory while the feed is behind; beyond, they are read from the archive again. */
const MOST_PENDING = 10_000;

export function openFeed(core: Core, hot: Hot, behind: WriteBehind): Feed {
  let pending: Entry[] = [];
  let running: Promise<void> | null = null;
  let isBusy = false;
  let sliceMs = SLICE_MS;
  const wakers: (() => void)[] = [];
  let waiting: { readonly offset: number; readonly done: () => void }[] = [];

  function apply(student: HotStudent | null, entry: Entry): void {
    if (student) hot.apply(student, entry);
    core.applied = entry.o;
  }

  function wake(): void {
    for (const waker of wakers.splice(0)) waker();
  }

  function woken(): Promise<void> {
    return new Promise((done) => wakers.push(done));
  }

  function reached(): void {
    if (waiting.length === 0) return;
    for (const one of waiting) if (one.offset <= core.applied) one.done();
    waiting = waiting.filter((one) => one.offset > core.applied);
  }

  /** At once, while everyone concerned is in memory; gives what is left. */
  function applyNow(entries: readonly Entry[]): readonly Entry[] {
    const until = performance.now() + sliceMs;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      const student = isFolded(entry) ? core.hot.get(entry.s) : null;
      if (student === undefined || behind.isFull() || performance.now() > until) return entries.slice(i);
      apply(student, entry);
    }
    return [];
  }

  async function applyAll(entries: readonly Entry[], isVoid: () => boolean): Promise<void> {
    let left = entries;
    while (left.length > 0 && !isVoid()) {
      left = applyNow(left);
      behind.poke();
      if (left.length === 0) break;
      if (behind.isFull()) await woken();
      else await warm(left.slice(0, AHEAD));
    }
    reached();
    hot.shrink();
  }

  /** Loads who is missing; a store that fails is asked again later. */
  async function warm(entries: readonly Entry[]): Promise<void> {
    const missing = new Set(
      entries.flatMap((entry) => (isFolded(entry) && !core.hot.has(entry.s) ? [entry.s] : [])),
    );
    if (missing.size === 0) return yieldTurn();
    const loads = await Promise.allSettled([...missing].map((student) => hot.get(student)));
    const failure = loads.find((load) => load.status === 'rejected');
    if (!failure) return;
    core.log.warn({ reason: reasonOf(failure.reason) }, 'the state store does not give a student');
    await after(core.limits.retryMs[0]);
  }

  async function yieldTurn(): Promise<void> {
    const since = performance.now();
    await turn();
    sliceMs = Math.min(LONGEST_SLICE_MS, Math.max(SLICE_MS, performance.now() - since));
  }

  async function pump(isVoid: () => boolean): Promise<void> {
    while (!isVoid()) {
      dropApplied();
      if (pending[0]?.o === core.applied + 1) await applyAll(pending.splice(0), isVoid);
      else if (!(await readOn(isVoid)) && !isVoid()) await idle();
    }
  }

  /** True when the archive had something. */
  async function readOn(isVoid: () => boolean): Promise<boolean> {
    const from = core.applied + 1;
    if (from >= core.archive.end()) return false;
    for await (const entries of oneAhead(core.archive.read(from))) {
      if (isVoid()) break;
      await applyAll(entries, isVoid);
    }
    return core.applied >= from;
  }

  async function idle(): Promise<void> {
    reached();
    dropApplied();
    if (pending.length > 0) return;
    sliceMs = SLICE_MS;
    isBusy = false;
    await woken();
    isBusy = true;
  }

  function dropApplied(): void {
    const first = pending.findIndex((entry) => entry.o > core.applied);
    if (first !== 0) pending = first < 0 ? [] : pending.slice(first);
  }

  async function runOnce(): Promise<void> {
    const { generation } = core;
    const isVoid = () => generation !== core.generation || isOver(core);
    isBusy = true;
    while (!isVoid()) {
      try {
        await pump(isVoid);
      } catch (cause) {
        core.log.error({ reason: reasonOf(cause), offset: core.applied + 1 }, 'the archive cannot be read');
        await after(core.limits.retryMs[1]);
      }
    }
  }

  return {
    run() {
      pending = [];
      const before = running;
      wake();
      running = (async () => {
        await before;
        await runOnce();
      })();
    },
    wake,
    hear(entries) {
      const isNext = !isBusy && core.phase === 'running' && entries[0]?.o === core.applied + 1;
      const left = isNext ? applyNow(entries) : entries;

      if (isNext) {
        behind.poke();
        reached();
        if (left.length === 0) return;
      }
      if (pending.length > MOST_PENDING) pending = [];
      const isNextPending = pending.length === 0 || pending.at(-1)?.o === (left[0]?.o ?? 0) - 1;
      if (isNextPending) pending.push(...left);
      wake();
    },
    reach(offset) {
      if (core.applied >= offset) return Promise.resolve();
      return new Promise((done) => waiting.push({ offset, done }));
    },
  };
}

/** Asks for the next slice while the one before is being worked on: the disk and the inflating thread need not wait for us. */
async function* oneAhead<T>(slices: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = slices[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (let slice = await next; !slice.done; slice = await next) {
      next = iterator.next();
      next.catch(() => {}); // Heard where it is awaited.
      yield slice.value;
    }
  } finally {
    await next.catch(() => {});
    await iterator.return?.();
  }
}
