import type { Archive } from '#server/archive/archive.ts';
import type { Log } from '#server/log.ts';
import type { Notices } from '#server/notices/notices.ts';
import type { StateKey } from '#server/state/state-key.ts';
import type { StateStore } from '#server/state/state-store.ts';
import type { Folding } from './apply.ts';
import type { Cuts } from './cuts.ts';
import type { OwnerMeasures } from './measures.ts';
import type { HotStudent } from './student.ts';

export type OwnerLimits = {
  /** Estimated bytes of states in memory beyond which clean students leave. */
  readonly hotBytes: number;
  /** A flush begins at the latest this long after the first change. */
  readonly flushEveryMs: number;
  /** A flush begins at once at this much; default: what the store says. */
  readonly flushBytes: number;
  /** Nothing is applied while so much waits for the store, or while the store has not answered for so long. */
  readonly mostDirtyBytes: number;
  readonly mostSilentMs: number;
  /** Between two tries of a store that failed: from, to. */
  readonly retryMs: readonly [number, number];
};

export const OWNER_LIMITS: Omit<OwnerLimits, 'flushBytes'> = {
  hotBytes: 512 * 1024 * 1024,
  flushEveryMs: 250,
  mostDirtyBytes: 64 * 1024 * 1024,
  mostSilentMs: 30_000,
  retryMs: [250, 5_000],
};

/** What the parts of one owner share. */
export type Core = {
  readonly archive: Archive;
  readonly store: StateStore;
  readonly folding: Folding;
  readonly limits: OwnerLimits;
  readonly log: Log;
  readonly notices: Notices | undefined;
  readonly clock: () => number;
  readonly measures: OwnerMeasures;
  readonly hot: Map<string, HotStudent>;
  readonly listeners: Set<(student: string, keys: readonly StateKey[], at?: number) => void>;
  /** Students with something to flush. */
  dirty: Set<HotStudent>;
  /** Those of the flush that is under way. */
  cuts: Cuts | null;
  dirtyBytes: number;
  hotBytes: number;
  /** The last entry that is folded into the hot states. */
  applied: number;
  /** The stored checkpoint that all hot states build on. */
  base: number;
  /** When the store last took a flush, ms; null: not yet. */
  flushedAt: number | null;
  /** The store failed to answer when it was asked last. */
  isStoreSilent: boolean;
  /** Raised when all hot states are forgotten: whatever began before is void. */
  generation: number;
  /** `fenced`: another owner has taken over; `closed`: ended by us. */
  phase: 'starting' | 'running' | 'fenced' | 'closed';
  tick: number;
};

export function isOver(core: Core): boolean {
  return core.phase === 'fenced' || core.phase === 'closed';
}

/** `at`: when the event was received that changed them; absent after a rebuild. */
export function tell(core: Core, student: string, keys: readonly StateKey[], at?: number): void {
  if (keys.length === 0) return;
  for (const listener of core.listeners) {
    try {
      listener(student, keys, at);
    } catch (cause) {
      core.log.error({ student, reason: nameOf(cause) }, 'a listener of state changes threw');
    }
  }
}

export function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : typeof cause;
}

/** Lets sockets and timers have their turn. */
export function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

export function after(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
