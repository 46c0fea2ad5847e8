import type { Reducer } from '#modules/kit/index.ts';
import type { Archive } from '#server/archive/archive.ts';
import { AppError } from '#server/errors.ts';
import type { Log } from '#server/log.ts';
import type { Notices } from '#server/notices/notices.ts';
import type { StateStore } from '#server/state/state-store.ts';
import type { Folding } from './apply.ts';
import { after, type Core, isOver, OWNER_LIMITS, type OwnerLimits } from './core.ts';
import { openFeed } from './feed.ts';
import { openHot, reasonOf } from './hot.ts';
import { type OwnerMeasures, openOwnerMeasures } from './measures.ts';
import { type Folded, type Plan, planOf } from './plan.ts';
import { statesOf } from './reading.ts';
import { openRebuilding } from './rebuilding.ts';
import { recoverInThreads, tellAgain } from './recovering.ts';
import type { States } from './states.ts';
import { allCells } from './student.ts';
import type { Watched } from './watchdog.ts';
import { openWriteBehind } from './write-behind.ts';

export type { Halt, States } from './states.ts';

export type OwnerStatus = {
  readonly phase: Core['phase'];
  readonly applied: number;
  readonly checkpoint: number;
  /** When the store last took a flush, ms; null: not yet. */
  readonly flushedAt: number | null;
  /** The store failed to answer when it was asked last; accepting does not wait for it. */
  readonly isStoreSilent: boolean;
  /** Durable entries that are not folded yet. */
  readonly behind: number;
  readonly students: number;
  readonly hotBytes: number;
  readonly dirtyBytes: number;
  readonly rebuilding: { readonly done: number; readonly total: number };
};

/** The one that folds a partition: every entry once, in order, into the states of its students. */
export type Owner = {
  readonly states: States;
  /** Last entry that is folded, in memory. */
  applied(): number;
  /** Last entry that is folded, in the store. */
  checkpoint(): number;
  /** Resolves when all that the archive held at the call is applied. */
  caughtUp(): Promise<void>;
  /** Resolves when all that was applied at the call is in the store. */
  flush(): Promise<void>;
  /** These students are on a screen: their rebuilds come first. */
  prefer(students: Iterable<string>): void;
  /** Folds reducers of a student (default: all) again from the archive and puts the result in place of what is there. */
  rebuild(student: string, reducers?: readonly Reducer[]): Promise<void>;
  /** Those of the reducers that have a key of this student that stands still. */
  halted(student: string, reducers: readonly Reducer[]): Promise<readonly Reducer[]>;
  status(): OwnerStatus;
  /** Flushes once, as far as the store answers, and ends; applies nothing more. */
  close(): Promise<void>;
};

export type OwnerOptions = {
  readonly archive: Archive;
  readonly store: StateStore;
  /** `file`: address of a module whose export `reducers` gives the same ones to another thread; without it none folds. */
  readonly registry: {
    readonly reducers: readonly Reducer[];
    readonly build: string;
    readonly file?: string;
  };
  readonly log: Log;
  readonly clock?: () => number;
  readonly notices?: Notices;
  readonly limits?: Partial<OwnerLimits>;
  /** Counted into, for metrics. */
  readonly measures?: OwnerMeasures;
  readonly watched?: Watched;
};

/**
 * Takes the partition and returns at once: claiming the store and catching up go on behind, however long the store
 * stays silent. From here on the archive's durable entries are applied as they come.
 */
export function openOwner(options: OwnerOptions): Owner {
  const core = coreOf(options);
  const hot = openHot(core, { mismatch: () => reset(), incomplete: (student) => rebuilding.add(student) });
  const behind = openWriteBehind(core, hot, {
    stale: () => reset(),
    fenced: () => end('fenced'),
    answered: () => feed.wake(),
  });
  const feed = openFeed(core, hot, behind);
  const rebuilding = openRebuilding(core, hot, behind);
  const stopHearing = core.archive.onDurable((entries) => feed.hear(entries));
  let caughtUpTo = core.archive.end() - 1;
  let isBehind = true;
  let recovering: Promise<unknown> = Promise.resolve();

  function reset(): void {
    if (isOver(core)) return;
    core.phase = 'starting';
    core.generation += 1;
    core.applied = -1;
    core.base = -1;
    hot.forget();
    behind.forget();
    rebuilding.forget();
    isBehind = true;
    caughtUpTo = core.archive.end() - 1;
    feed.wake();
    void start(core.generation);
  }

  async function start(generation: number): Promise<void> {
    await behind.settled();
    const checkpoint = await claim(core, generation, () => end('fenced'));
    if (checkpoint === null || generation !== core.generation || isOver(core)) return;
    core.base = checkpoint;
    core.applied = checkpoint;
    core.phase = 'running';
    const isVoid = () => generation !== core.generation || isOver(core);
    const { file } = options.registry;
    const recovery = checkpoint < 0 ? recoverInThreads(core, hot, file, isVoid) : Promise.resolve(checkpoint);
    recovering = recovery;
    const recovered = await recovery;
    if (isVoid()) return;
    if (recovered > checkpoint) await goOnFrom(recovered);
    else await goOn();
  }

  async function goOn(): Promise<void> {
    const { generation } = core;
    feed.run();
    void rebuilding.sweep();
    await feed.reach(caughtUpTo);
    if (generation === core.generation) isBehind = false;
  }

  /** The store has got all up to here past us: whatever was read of it meanwhile is void. */
  async function goOnFrom(upTo: number): Promise<void> {
    const read = [...core.hot.keys()];
    core.generation += 1;
    core.base = upTo;
    core.applied = upTo;
    core.flushedAt = core.clock();
    hot.forget();
    rebuilding.forget();
    void tellAgain(core, hot, read);
    await goOn();
  }

  function end(phase: 'fenced' | 'closed'): void {
    if (isOver(core)) return;
    core.phase = phase;
    if (phase === 'fenced') core.log.error({}, 'another process owns the states now');
    behind.stop();
    hot.forget();
    rebuilding.forget();
    stopHearing();
    feed.wake();
  }

  void start(core.generation);
  return {
    states: statesOf(
      core,
      hot,
      (student) => !isBehind && core.phase === 'running' && rebuilding.isWhole(student),
    ),
    applied: () => core.applied,
    checkpoint: () => core.base,
    caughtUp: () => feed.reach(core.archive.end() - 1),
    flush: () => behind.flush(),
    prefer: (students) => rebuilding.prefer(students),
    async rebuild(student, reducers) {
      // Nothing else may write while parts of a fold go to the store under no checkpoint.
      await recovering;
      await rebuilding.again(student, someOf(core.folding.plan, reducers));
    },
    async halted(student, reducers) {
      const cells = [...allCells(await hot.get(student))].filter((cell) => cell.halt);
      return reducers.filter((reducer) => cells.some((cell) => cell.folded.reducer === reducer));
    },
    status: () => ({
      phase: core.phase,
      applied: core.applied,
      checkpoint: core.base,
      flushedAt: core.flushedAt,
      isStoreSilent: core.isStoreSilent,
      behind: core.archive.end() - 1 - core.applied,
      students: core.hot.size,
      hotBytes: core.hotBytes,
      dirtyBytes: core.dirtyBytes,
      rebuilding: rebuilding.progress(),
    }),
    async close() {
      if (core.phase === 'running') await Promise.race([behind.flush(), after(5_000)]);
      end('closed');
      await behind.settled();
    },
  };
}

function coreOf(options: OwnerOptions): Core {
  const { archive, store, registry, log, notices, clock = Date.now, limits, watched } = options;
  const measures = options.measures ?? openOwnerMeasures();
  const folding: Folding = {
    plan: planOf(registry.reducers, registry.build),
    onStep: watched?.onStep ?? (() => {}),
    isStuck: watched?.isStuck ?? (() => false),
    onHalt(folded, { halt }) {
      if (halt) measures.halts[halt.code] += 1;
      log.warn({ reducer: folded.name, code: halt?.code, position: halt?.position }, 'a key stands still');
    },
  };
  return {
    archive,
    store,
    folding,
    limits: { ...OWNER_LIMITS, flushBytes: store.flushBytes, ...limits },
    log,
    notices,
    clock,
    measures,
    hot: new Map(),
    listeners: new Set(),
    dirty: new Set(),
    cuts: null,
    dirtyBytes: 0,
    hotBytes: 0,
    applied: -1,
    base: -1,
    flushedAt: null,
    isStoreSilent: false,
    generation: 0,
    phase: 'starting',
    tick: 0,
  };
}

/** Asks until the store answers; null when it never has to any more. */
async function claim(core: Core, generation: number, onFenced: () => void): Promise<number | null> {
  const { archive, store, log, limits } = core;
  for (
    let ms = limits.retryMs[0];
    generation === core.generation && !isOver(core);
    ms = Math.min(ms * 2, limits.retryMs[1])
  ) {
    try {
      const checkpoint = await store.claim({
        archive: archive.id,
        fence: archive.fence,
        end: generation === 0 ? (archive.foundEnd ?? archive.end()) : archive.end(),
      });
      core.isStoreSilent = false;
      return checkpoint;
    } catch (cause) {
      if (cause instanceof AppError && cause.code === 'conflict') {
        onFenced();
        return null;
      }
      core.isStoreSilent = true;
      log.warn({ reason: reasonOf(cause) }, 'the state store does not answer');
      await after(ms);
    }
  }
  return null;
}

function someOf(plan: Plan, reducers: readonly Reducer[] | undefined): ReadonlySet<Folded> {
  if (!reducers) return new Set(plan.all);
  return new Set(reducers.flatMap((reducer) => plan.of(reducer) ?? []));
}
