import { createHash, hash } from 'node:crypto';
import type { Archive } from '#server/archive/archive.ts';
import type { BadRow, Draft } from '#server/archive/entry.ts';
import type { BadCode, NoteCode, RefusedCode } from '#server/errors.ts';
import type { Histogram } from '#server/histogram.ts';
import type { Counter, Edge } from './counts.ts';
import type { EventHash, Producer } from './dedupe.ts';
import type { CollectionRules, Identity } from './identity.ts';
import type { IngestLimits, Meter } from './limits.ts';
import type { SourceTable } from './sources.ts';

/** `now`: wall clock, ms. `monotonic`: never goes back, ms; rates and timeouts go by it. */
export type Clock = { now(): number; monotonic(): number };

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** What every step of the accept path works with. */
export type Core = {
  readonly archive: Archive;
  readonly sources: SourceTable;
  readonly rules: CollectionRules;
  readonly clock: Clock;
  readonly limits: IngestLimits;
  readonly counter: Counter;
  /** Events that came in and have no end yet, told apart from the counter: together they prove that nothing ends unseen. */
  readonly flight: Record<Edge, number>;
  /** Milliseconds from a batch's receipt to its answer. */
  readonly acknowledgement: Histogram;
  /** Version of the software, noted in bad rows. */
  readonly version: string;
  isStopping: boolean;
};

/** One connection whose student is proved. */
export type Connection = {
  readonly id: string;
  readonly edge: Edge;
  identity: Identity;
  readonly meter: Meter;
  /** Null until `hello`. */
  producer: Producer | null;
  /** Server clock minus client clock, ms, measured at `hello`. */
  offset: number;
  unansweredEvents: number;
  unansweredBytes: number;
  readonly notes: Set<NoteCode>;
};

const DAY_MS = 86_400_000;
const OLDEST_MS = 400 * DAY_MS;
const NEWEST_MS = 5_000;
const WHOLE_ORIGINAL = 64 * 1024;
const CUT_ORIGINAL = 4 * 1024;

/** Hash of an event as it was received: its JSON text, in the same key order. */
export function hashOf(text: string): EventHash {
  return hash('sha256', text, 'binary').slice(0, 16);
}

/** As entries keep hashes: 16 bytes each, base64. */
export function hashesForEntry(hashes: string): string {
  return btoa(hashes);
}

/** When the event was captured, on the server's clock; the time of receipt where the client's time is not plausible. */
export function capturedAt(sentAt: number, offset: number, at: number): number {
  const corrected = sentAt + offset;
  return corrected >= at - OLDEST_MS && corrected <= at + NEWEST_MS ? corrected : at;
}

export function isPlausible(sentAt: number, offset: number, at: number): boolean {
  const corrected = sentAt + offset;
  return corrected >= at - OLDEST_MS && corrected <= at + NEWEST_MS;
}

/** Notes something about a connection, once. */
export function note(core: Core, connection: Connection, code: NoteCode): void {
  if (connection.notes.has(code)) return;
  connection.notes.add(code);
  core.counter.noted(code);
}

/** Why nothing can be appended right now; null while the archive takes more. */
export function refusedNow(core: Core): RefusedCode | null {
  if (core.isStopping) return 'not-ready';
  return core.archive.refusing() ?? (core.archive.pressure() >= 1 ? 'busy' : null);
}

/** How long a client waits before it sends a refused batch again, ms. */
export function retryAfterMs(code: RefusedCode): number {
  return code === 'disk-full' ? 5_000 : code === 'not-ready' ? 2_000 : 1_000;
}

/** Words for a refusal, without anybody's text. */
export const REFUSALS: Readonly<Record<RefusedCode, string>> = {
  gap: 'events before this batch are missing',
  held: 'keep the events and ask again later',
  'claims-off': 'who you are could not be proved, and claims are switched off',
  'claim-unknown': 'nobody here is known by this claim',
  'rate-limited': 'too many events; wait before the next batch',
  'daily-quota': 'the daily quota of this student is used up',
  'too-many-in-flight': 'wait for answers before sending more',
  busy: 'the server is busy',
  'disk-full': 'the disk of the server is full',
  'archive-failed': 'the archive could not be written',
  'not-ready': 'the server is not ready',
};

/** A bad row's record: the original whole up to 64 KiB, else its beginning, length and SHA-256. */
export function badRow(code: BadCode, original: string | null, path?: string): BadRow {
  const where = path === undefined ? {} : { path };
  if (original === null) return { code, ...where, original: '' };
  const bytes = Buffer.byteLength(original);
  if (bytes <= WHOLE_ORIGINAL) return { code, ...where, original };
  const sha256 = createHash('sha256').update(original).digest('hex');
  return { code, ...where, original: original.slice(0, CUT_ORIGINAL), bytes, sha256 };
}

/** A bad row that uses no seq: a frame that could not be read. */
export function frameRow(core: Core, connection: Connection, at: number, bad: BadRow): Draft {
  const producer = connection.producer;
  return {
    k: 'bad',
    t: at,
    s: connection.identity.student,
    ...(producer ? { p: producer.producer, e: producer.epoch } : {}),
    v: core.version,
    bad,
  };
}
