import type { ProducerRow } from '#server/archive/archive.ts';
import { DECLINED_CODES, type DeclinedCode } from '#server/errors.ts';

/** First 16 bytes of SHA-256 of an event, one character per byte (latin1). */
export type EventHash = string;

const RING = 256;
const FIRST_RING = 8;
const HASH_BYTES = 16;
const KEPT_MS = 400 * 86_400_000;
/** A declined seq keeps no hash (its content left no trace): 15 zero bytes, then the code's place in the closed list + 1. */
const DECLINED_PREFIX = '\0'.repeat(HASH_BYTES - 1);

/**
 * What is known of one (producer, epoch). `last` counts what is in flight, `durable` what the archive has confirmed;
 * between the two nothing may be acknowledged.
 */
export type Producer = {
  readonly producer: string;
  readonly epoch: number;
  readonly student: string;
  last: number;
  durable: number;
  /** Everything up to here is no longer held by the client: no failure reopens it. */
  floor: number;
  pending: number;
  /** Raised by each append that failed and freed seqs, so that later ones of the same failure undo nothing twice. */
  generation: number;
  /** First seqs that those failures freed, of the newest generations; empty while nothing is in flight. */
  freed: readonly number[];
  lastAt: number;
  users: number;
  hashes: Buffer;
  /** How many of the ring's hashes are valid; they end at `last`. */
  known: number;
  waiting: readonly Waiting[];
};

/** Of thousands of producers nearly all are like this nearly always: one list for all. */
const NONE: readonly never[] = [];

type Waiting = { readonly upTo: number; readonly done: (isDurable: boolean) => void };

export type Judgement = 'next' | 'duplicate' | 'conflict' | 'gap' | DeclinedCode;

export type DedupeTable = {
  /**
   * `next`: first seq wanted; all below it is durable. `lost`: seqs that the client no longer holds and the server never
   * saw. Refuses another student's producer (`forbidden`) and an epoch lower than a known one (`conflict`).
   * Whoever gets a producer MUST release it.
   */
  hello(
    student: string,
    hello: { readonly producer: string; readonly epoch: number; readonly oldest: number },
  ): { readonly producer: Producer; readonly next: number; readonly lost: number } | 'forbidden' | 'conflict';
  release(producer: Producer): void;
  size(): number;
};

/** The table of delivery.md §7, filled from the archive alone. Rows live 400 days. */
export function openDedupe(rows: Iterable<ProducerRow>, now: number): DedupeTable {
  const producers = new Map<string, Producer>();
  for (const row of rows) {
    const known = producers.get(row.producer);
    if (row.lastAt > now - KEPT_MS && (known === undefined || known.epoch < row.epoch))
      producers.set(row.producer, fromRow(row));
  }
  return {
    hello(student, hello) {
      const known = producers.get(hello.producer);
      if (known && known.student !== student) return 'forbidden';
      if (known && known.epoch > hello.epoch) return 'conflict';
      const isKnown = known !== undefined && known.epoch === hello.epoch;
      const producer = isKnown ? known : newProducer(student, hello.producer, hello.epoch, hello.oldest - 1);
      if (!isKnown) producers.set(hello.producer, producer);
      producer.users += 1;
      const lost = isKnown ? skipTo(producer, hello.oldest - 1) : 0;
      return { producer, next: Math.max(producer.durable + 1, hello.oldest), lost };
    },
    release(producer) {
      producer.users -= 1;
      const isUnused = producer.users === 0 && producer.lastAt === 0 && producer.pending === 0;
      if (isUnused && producers.get(producer.producer) === producer) producers.delete(producer.producer);
    },
    size: () => producers.size,
  };
}

function newProducer(student: string, producer: string, epoch: number, last: number): Producer {
  return {
    producer,
    epoch,
    student,
    last,
    durable: last,
    floor: last,
    pending: 0,
    generation: 0,
    freed: NONE,
    lastAt: 0,
    users: 0,
    hashes: Buffer.alloc(0),
    known: 0,
    waiting: NONE,
  };
}

function fromRow(row: ProducerRow): Producer {
  const producer = newProducer(row.student, row.producer, row.epoch, row.last);
  const count = Math.min(RING, Math.floor(row.hashes.length / HASH_BYTES), row.last);
  producer.lastAt = row.lastAt;
  producer.known = count;
  producer.hashes = Buffer.alloc(ringFor(count) * HASH_BYTES);
  const newest = Buffer.from(row.hashes.buffer, row.hashes.byteOffset, row.hashes.length).subarray(
    row.hashes.length - count * HASH_BYTES,
  );
  for (let i = 0; i < count; i++) {
    newest.copy(
      producer.hashes,
      placeOf(producer, row.last - count + 1 + i),
      i * HASH_BYTES,
      (i + 1) * HASH_BYTES,
    );
  }
  return producer;
}

function ringFor(count: number): number {
  let size = count === 0 ? 0 : FIRST_RING;
  while (size < count) size *= 2;
  return size;
}

function placeOf(producer: Producer, seq: number): number {
  return (seq % (producer.hashes.length / HASH_BYTES)) * HASH_BYTES;
}

/** Gives how many seqs the client lost. */
function skipTo(producer: Producer, last: number): number {
  const lost = Math.max(0, last - producer.last);
  producer.floor = Math.max(producer.floor, last);
  if (lost > 0) {
    producer.last = last;
    producer.known = 0;
    if (producer.pending === 0) producer.durable = last;
  }
  return lost;
}

/** Pure: what a seq with this hash is, given what came before. */
export function judge(producer: Producer, seq: number, hash: EventHash): Judgement {
  if (seq === producer.last + 1) return 'next';
  if (seq > producer.last) return 'gap';
  if (seq <= producer.last - producer.known) return 'duplicate';
  const place = placeOf(producer, seq);
  const kept = producer.hashes.toString('latin1', place, place + HASH_BYTES);
  if (kept === hash) return 'duplicate';
  return kept.startsWith(DECLINED_PREFIX) ? declinedCode(kept) : 'conflict';
}

function declinedCode(kept: string): DeclinedCode {
  return DECLINED_CODES[kept.charCodeAt(HASH_BYTES - 1) - 1] ?? 'collection-off';
}

/** What stands in the ring, and nowhere else, for a declined seq. */
export function declinedMark(code: DeclinedCode): EventHash {
  return DECLINED_PREFIX + String.fromCharCode(DECLINED_CODES.indexOf(code) + 1);
}

/** Takes the next seq, before its append is durable. */
export function advance(producer: Producer, hash: EventHash): void {
  const size = producer.hashes.length / HASH_BYTES;
  if (producer.known === size && size < RING) grow(producer, Math.max(FIRST_RING, size * 2));
  producer.last += 1;
  producer.hashes.write(hash, placeOf(producer, producer.last), HASH_BYTES, 'latin1');
  if (producer.known < RING) producer.known += 1;
}

function grow(producer: Producer, size: number): void {
  const old = { ...producer };
  producer.hashes = Buffer.alloc(size * HASH_BYTES);
  for (let seq = old.last - old.known + 1; seq <= old.last; seq++) {
    const from = placeOf(old, seq);
    old.hashes.copy(producer.hashes, placeOf(producer, seq), from, from + HASH_BYTES);
  }
}

/** Notes an append of seqs up to `producer.last`; the answer goes to `confirm` or `undo`. */
export function begin(producer: Producer): number {
  producer.pending += 1;
  return producer.generation;
}

export function confirm(producer: Producer, upTo: number, at: number): void {
  land(producer);
  producer.durable = Math.max(producer.durable, producer.pending === 0 ? producer.last : upTo);
  producer.lastAt = at;
  wake(producer, true);
}

/**
 * The append that began at seq `from` failed: its seqs are free again, and so are all later ones, since an archive that
 * fails an append fails everything queued behind it. One that was refused at once, behind others that are still in flight,
 * frees its own alone: should those fail afterwards, they free theirs.
 */
export function undo(producer: Producer, from: number, generation: number): void {
  const since = producer.freed.slice(producer.freed.length - (producer.generation - generation));
  if (since.every((first) => first > from)) {
    producer.generation += 1;
    producer.freed = [...producer.freed, from];
    const last = Math.max(producer.floor, Math.min(producer.last, from - 1));
    producer.known = Math.max(0, producer.known - (producer.last - last));
    producer.last = last;
  }
  land(producer);
  wake(producer, false);
}

function land(producer: Producer): void {
  producer.pending -= 1;
  if (producer.pending === 0) producer.freed = NONE;
}

/** Calls back once the original of a duplicate is durable, or has failed. */
export function whenDurable(producer: Producer, upTo: number, done: (isDurable: boolean) => void): void {
  if (upTo <= producer.durable) done(true);
  else producer.waiting = [...producer.waiting, { upTo, done }];
}

function wake(producer: Producer, isGood: boolean): void {
  if (producer.waiting.length === 0) return;
  const due = producer.waiting.filter((one) => !isGood || one.upTo <= producer.durable);
  const left = producer.waiting.filter((one) => isGood && one.upTo > producer.durable);
  producer.waiting = left.length > 0 ? left : NONE;
  for (const one of due) one.done(one.upTo <= producer.durable);
}
