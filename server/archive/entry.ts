import type { BadCode, DeclinedCode } from '#server/errors.ts';

export type EntryKind = 'batch' | 'bad' | 'mark' | 'tombstone' | 'audit' | 'analysis';

/** One event as it is archived: its schema's output, and the client's raw clocks. */
export type ArchivedEvent = {
  readonly event: string;
  readonly sentAt?: number;
  readonly tick?: number;
  readonly body: Readonly<Record<string, unknown>>;
};

/** Why an authenticated input could not be an event, with the original (over 64 KiB: its first 4 KiB, length, SHA-256). */
export type BadRow = {
  readonly code: BadCode;
  readonly path?: string;
  readonly original: string;
  readonly bytes?: number;
  readonly sha256?: string;
};

/**
 * What one append writes (delivery.md §5). Short names because every event carries them on disk.
 * `o` offset · `k` kind · `t` server time of receipt, ms · `s` student · `p` producer · `e` epoch · `f` seq of the
 * first event · `n` seqs used (default: length of `ev`) · `src` source · `off` clock offset, ms · `as` shared position ·
 * `ev` events · `h` their hashes, 16 bytes each, base64 · `bad` a bad row · `declined` why `n` seqs from `f` were not kept ·
 * `v` software version of a bad row · `b` free body of marks and audit lines.
 */
export type Entry = {
  readonly o: number;
  readonly k: EntryKind;
  readonly t: number;
  readonly s?: string;
  readonly p?: string;
  readonly e?: number;
  readonly f?: number;
  readonly n?: number;
  readonly src?: string;
  readonly off?: number;
  readonly as?: number;
  readonly ev?: readonly ArchivedEvent[];
  readonly h?: string;
  readonly bad?: BadRow;
  readonly declined?: DeclinedCode;
  readonly v?: string;
  readonly b?: Readonly<Record<string, unknown>>;
};

/** An entry before the archive has given it its offset; the archive raises `t` where it would go back. */
export type Draft = Omit<Entry, 'o'>;
