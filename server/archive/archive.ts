import type { RefusedCode } from '#server/errors.ts';
import type { SealedPicture } from './by-student.ts';
import type { Draft, Entry } from './entry.ts';

/** Row of the dedupe table as the archive knows it: the last state of one (producer, epoch). */
export type ProducerRow = {
  readonly producer: string;
  readonly epoch: number;
  readonly student: string;
  readonly last: number;
  /** The newest hashes, 16 bytes each, oldest first, at most 256; they end at seq `last`. */
  readonly hashes: Uint8Array;
  readonly lastAt: number;
};

/** `null`: durable, and `first` is the offset of the append's first entry. Else nothing of the append is in the archive. */
export type AppendDone = (refused: RefusedCode | null, first: number) => void;

/**
 * All accepted events in order, append-only; what every state is folded from.
 *
 * An adapter MUST call `done` only after what it wrote is durable, MUST call all `done` and then the listeners in
 * offset order, and MUST keep the drafts it was given unchanged but for `o` and `t`.
 */
export type Archive = {
  /** 32 hex digits, made with the archive. A state that carries another archive's id is ignored. */
  readonly id: string;
  /** Offset that fences this process's writes: the offset of the mark appended at start. */
  readonly fence: number;
  /** Where what was found at the opening ended; absent where nothing outlives the process. States beyond it are of entries that are lost. */
  readonly foundEnd?: number;
  /** Queues the drafts for the next group; all of them become durable together, or none. Never throws. */
  append(drafts: readonly Draft[], done: AppendDone): void;
  /** How full the append queue is, 0 to 1 and beyond. */
  pressure(): number;
  /** Why appends are refused right now; null while the archive accepts. */
  refusing(): RefusedCode | null;
  /** Hears every durable entry, in offset order, after its `done`. One group per call. */
  onDurable(listener: (entries: readonly Entry[]) => void): () => void;
  /** The next entry's offset. */
  end(): number;
  /** Durable entries `from ≤ o < to` (default: all up to the end at the time of the call), in offset order, in slices. */
  read(from: number, to?: number): AsyncIterable<readonly Entry[]>;
  /** Durable entries of one student with `o < to`, in offset order, in slices: one block per sealed segment by its index. */
  readStudent(student: string, to?: number): AsyncIterable<readonly Entry[]>;
  /** Where the sealed entries are, for threads that read by themselves; absent where no thread can. */
  sealed?(): SealedPicture;
  /** What the archive held of producers when it was opened; given once, at start, to the dedupe table. */
  producers(): Iterable<ProducerRow>;
  /** Closes the open segment and seals it in the background; resolves when its entries are in a sealed segment. */
  seal(): Promise<void>;
  /** Waits for what is queued, seals, releases the lock. */
  close(): Promise<void>;
};
