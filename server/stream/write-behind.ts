import { inSlices } from '#server/in-slices.ts';
import type { StudentWrites } from '#server/state/state-store.ts';
import { after, type Core, isOver } from './core.ts';
import { type Cuts, openCuts } from './cuts.ts';
import { type Hot, reasonOf } from './hot.ts';
import { type Commit, commit, type StudentCut, writesOf } from './persist.ts';

/** Field of the nameless student that says for which build every student is known to be folded whole. */
export const WHOLE = 'build';

export type WriteBehind = {
  /** Something was applied: a flush begins in time. */
  poke(): void;
  /** Everything applied so far is in the store when this resolves; at once when the owner is over. */
  flush(): Promise<void>;
  /** Resolves when no flush is on its way to the store. */
  settled(): Promise<void>;
  /** Too much waits for the store, or for too long: nothing more may be applied. */
  isFull(): boolean;
  /** Writes with the next flush that every student is folded whole. */
  markWhole(): void;
  /** The states are taken anew from the store: what was to be written of the old ones is void. */
  forget(): void;
  stop(): void;
};

/**
 * After a flush that took so long to make, so many times as long passes before the next one, up to what the store allows.
 * The store spends about as much again, so that flushes stay at a hundredth of a busy process as far as the store allows: who
 * types a key every second or two has all of their states written every ten, not at each key. A restart folds the longer
 * tail again.
 */
const PACE = 200;
/** So far behind the archive nobody is waiting for the store, and the same states change over and over. */
const FAR_BEHIND = { entries: 5_000, slower: 8 };

/** How long after a flush the next one begins, when the making of the last one kept the process busy for `spentMs`. */
export function paceMs(everyMs: number, spentMs: number, longestMs: number): number {
  return Math.max(everyMs, Math.min(longestMs, PACE * spentMs));
}

export function openWriteBehind(
  core: Core,
  hot: Hot,
  on: { readonly stale: () => void; readonly fenced: () => void; readonly answered: () => void },
): WriteBehind {
  let timer: NodeJS.Timeout | null = null;
  let inFlight: Promise<void> | null = null;
  let inFlightBytes = 0;
  let silentSince: number | null = null;
  let tries = 0;
  let whole: string | null = null;
  let spentMs = 0;

  function arm(ms: number): void {
    if (timer || inFlight || isOver(core)) return;
    timer = setTimeout(() => {
      timer = null;
      void begin();
    }, ms);
  }

  function begin(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    inFlight ??= run().finally(() => {
      inFlight = null;
      if (core.phase === 'running' && (core.applied > core.base || core.dirty.size > 0))
        arm(tries > 0 ? retryMs() : everyMs());
    });
    return inFlight;
  }

  function everyMs(): number {
    const isFar = core.archive.end() - core.applied > FAR_BEHIND.entries;
    const { flushEveryMs } = core.limits;
    return paceMs(flushEveryMs * (isFar ? FAR_BEHIND.slower : 1), spentMs, core.store.longestPaceMs);
  }

  function retryMs(): number {
    const [from, to] = core.limits.retryMs;
    return Math.min(to, from * 2 ** Math.min(tries - 1, 10));
  }

  async function run(): Promise<void> {
    if (core.phase !== 'running') return;
    const { generation, base } = core;
    const checkpoint = core.applied;
    const mark = whole;
    const since = performance.now();
    silentSince ??= since;
    inFlightBytes = core.dirtyBytes;
    const cuts = openCuts(core.dirty, core.folding.plan);
    core.cuts = cuts;
    core.dirty = new Set();
    core.dirtyBytes = 0;
    spentMs = performance.now() - since;
    hot.expect(checkpoint);
    let result: Awaited<ReturnType<Core['store']['flush']>> | null = null;
    const commits: Commit[] = [];
    const writes = writesFor(cuts.each(), mark, commits, (ms) => {
      spentMs += ms;
    });
    try {
      result = await core.store.flush({ fence: core.archive.fence, base, checkpoint, writes });
      core.measures.flushMs.note(performance.now() - since);
    } catch (cause) {
      core.measures.flushFailures += 1;
      core.log.warn({ reason: reasonOf(cause) }, 'the state store does not take a flush');
    }
    inFlightBytes = 0;
    core.isStoreSilent = result === null;
    core.cuts = null;
    cuts.release();
    if (generation !== core.generation || isOver(core)) return;
    if (result === null) return failed(cuts);
    if (!result.ok) return result.why === 'stale' ? on.stale() : on.fenced();
    for (const one of commits) commit(one);
    core.base = checkpoint;
    core.flushedAt = core.clock();
    tries = 0;
    silentSince = null;
    if (mark === whole) whole = null;
    hot.shrink();
    on.answered();
    await announce(core, cuts.done(), checkpoint);
  }

  function failed(cuts: Cuts): void {
    tries += 1;
    for (const student of cuts.undo()) core.dirty.add(student);
    core.dirtyBytes = 0;
    for (const { dirtyBytes } of core.dirty) core.dirtyBytes += dirtyBytes;
  }

  return {
    poke() {
      if (core.dirtyBytes >= core.limits.flushBytes && !inFlight && tries === 0) void begin();
      else arm(tries > 0 ? retryMs() : everyMs());
    },
    async flush() {
      const upTo = core.applied;
      const isIn = () =>
        core.phase === 'running' && core.base >= upTo && core.dirty.size === 0 && whole === null;
      while (!isIn() && !isOver(core)) {
        const { base } = core;
        await begin();
        // Nothing came of it: the store does not answer, or everything is being taken anew from it.
        if (core.base === base && !isIn()) await after(tries > 0 ? retryMs() : 5);
      }
    },
    async settled() {
      await inFlight;
    },
    isFull() {
      if (core.dirtyBytes + inFlightBytes >= core.limits.mostDirtyBytes) return true;
      return silentSince !== null && performance.now() - silentSince > core.limits.mostSilentMs;
    },
    markWhole() {
      whole = core.folding.plan.build;
      arm(core.limits.flushEveryMs);
    },
    forget() {
      whole = null;
      tries = 0;
      silentSince = null;
    },
    stop() {
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

/**
 * One student after another, as the store asks for them: what thousands wrote would live until the last of it is in. States
 * are immutable, so that entries may go on being applied while their old values become text.
 */
function* writesFor(
  cuts: Iterable<StudentCut>,
  mark: string | null,
  commits: Commit[],
  onSpent: (ms: number) => void,
): Iterable<StudentWrites> {
  for (const cut of cuts) {
    const since = performance.now();
    const { writes, commits: some } = writesOf(cut);
    onSpent(performance.now() - since);
    commits.push(...some);
    if (writes.set.length + writes.del.length > 0) yield writes;
  }
  if (mark) yield { student: '', set: [[WHOLE, mark]], del: [] };
}

/** Other processes read the store: they hear which students to look at again, and as of when. */
async function announce(core: Core, cuts: readonly StudentCut[], checkpoint: number): Promise<void> {
  const { notices } = core;
  if (!notices) return;
  await inSlices(cuts, ({ student, cells }) => {
    if (cells.length === 0) return;
    const keys = cells.map(({ key }) => key);
    notices.publish('states', JSON.stringify({ student: student.id, keys, checkpoint }));
  });
}
