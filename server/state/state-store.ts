import { AppError } from '#server/errors.ts';

/** What one flush changes for one student: `set` replaces fields, `del` removes them. Values are JSON text. */
export type StudentWrites = {
  readonly student: string;
  readonly set: readonly (readonly [field: string, value: string])[];
  readonly del: readonly string[];
};

export type Flush = {
  /** The writer's fence; the store refuses a lower one than it has seen. */
  readonly fence: number;
  /** The checkpoint this flush builds on. */
  readonly base: number;
  /** The archive offset up to which, inclusive, everything is folded once this flush is in. */
  readonly checkpoint: number;
  /** Walked once, in slices: each is made as it is asked for, and a store SHOULD let go of it as soon as it has its bytes. */
  readonly writes: Iterable<StudentWrites>;
};

/** `stale`: the stored checkpoint is not the one it builds on, nothing was written. `fenced`: a higher fence was seen. */
export type FlushResult = { readonly ok: true } | { readonly ok: false; readonly why: 'stale' | 'fenced' };

/** −1 when nothing is folded yet. */
export type Loaded = { readonly checkpoint: number; readonly fields: ReadonlyMap<string, string> };

/**
 * Where states live between processes: a cache of the archive, of one partition. Fields of a student are opaque to it;
 * the owner names them (`server/stream/persist.ts`).
 *
 * An adapter MUST do each operation atomically: a flush is in as a whole or not at all, and what `load` gives is
 * fields and checkpoint of one moment.
 */
export type StateStore = {
  /** When so many bytes wait for it, by estimate, a flush begins at once: a larger one would hold up the store, or us. */
  readonly flushBytes: number;
  /** The longest that a busy process may wait between two flushes: what is not in the store is folded again after a crash. */
  readonly longestPaceMs: number;
  /**
   * Writes the fence and gives the stored checkpoint; empties the store first when it belongs to another archive or its
   * checkpoint is beyond `end`. Throws `AppError` `conflict` when a higher fence was seen.
   */
  claim(claim: { readonly archive: string; readonly fence: number; readonly end: number }): Promise<number>;
  load(student: string): Promise<Loaded>;
  flush(flush: Flush): Promise<FlushResult>;
  /** Drops every state; the checkpoint is −1 afterwards. Does nothing under a lower fence than the store has seen. */
  empty(fence: number): Promise<void>;
  students(): AsyncIterable<string>;
  close(): Promise<void>;
};

/** What `claim` throws when a higher fence was seen. */
export function taken(): AppError {
  return new AppError('conflict', 'another process owns the states');
}
