import type { SealedPicture } from '#server/archive/by-student.ts';
import type { StudentWrites } from '#server/state/state-store.ts';
import type { Halt } from './states.ts';

/** What a thread that folds is given. */
export type FoldJob = SealedPicture & {
  /** Address of a module whose export `reducers` is what the process folds with. */
  readonly reducers: string;
  readonly build: string;
  /** Of the plan, so that nothing else is folded by mistake. */
  readonly names: readonly string[];
  /** Int32: see `SHARED`. */
  readonly shared: SharedArrayBuffer;
};

/**
 * `next`: the next student whom nobody folds yet · `entries`: how many were folded, to see that it goes on ·
 * `waiting`: parts that were posted and are not in the store yet.
 */
export const SHARED = { next: 0, entries: 1, waiting: 2 } as const;
/** While more wait for the store, threads wait too. */
export const MOST_WAITING = 64;

export type FoundHalt = { readonly reducer: number; readonly halt: Halt };
/** Whole students, as a store takes them, and the keys that stand still. */
export type FoldedPart = {
  readonly writes: readonly StudentWrites[];
  readonly halts: readonly FoundHalt[];
  readonly isLast: boolean;
};
