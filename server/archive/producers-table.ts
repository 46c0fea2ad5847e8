import type { Entry } from './entry.ts';
import { readU64, writeU64 } from './segment-header.ts';

const HASH_BYTES = 16;
const RING_BYTES = 256 * HASH_BYTES;
/** A ring begins with this, grows to that, and then moves its newest 256 to the front where it is full. */
const ROOM_BYTES = { first: 8 * HASH_BYTES, most: RING_BYTES + 64 * HASH_BYTES };

/**
 * A row as it is folded. `before` are the hashes it was read with, in the table's own bytes; those since are in a ring that
 * ends at `filled`, so that a sealing of thousands of rows needs room for what is new alone.
 */
export type ProducerFold = {
  readonly producer: string;
  readonly epoch: number;
  /** The student's stream, 32 hex digits: the table itself names nobody. */
  stream: string;
  last: number;
  lastAt: number;
  before: Buffer;
  ring: Buffer;
  filled: number;
};

const NOTHING = Buffer.alloc(0);

export type ProducersTable = Map<string, ProducerFold>;

/** Producers that live for one connection or one process: nobody can come back to them, so no row is kept. */
export function isPassing(entry: Pick<Entry, 'h' | 'p'>): boolean {
  return entry.h === undefined && entry.p?.startsWith('~') === true;
}

/** Takes one durable entry into the table: a pure function of the order of entries (delivery.md §7). */
export function foldProducer(
  table: ProducersTable,
  entry: Omit<Entry, 'ev'>,
  events: number,
  stream: string,
): void {
  const { p: producer, e: epoch, f: from } = entry;
  if (producer === undefined || epoch === undefined || from === undefined || isPassing(entry)) return;
  const count = entry.n ?? events;
  const row = rowOf(table, producer, epoch, stream);
  row.lastAt = Math.max(row.lastAt, entry.t);
  const to = from + count - 1;
  if (to <= row.last) return;
  // The client dropped what lies between: hashes before it are no neighbours of those behind it.
  if (from > row.last + 1) {
    row.before = NOTHING;
    row.filled = 0;
  }
  pushHashes(row, entry.h, Math.max(0, row.last + 1 - from), count);
  row.last = to;
}

function rowOf(table: ProducersTable, producer: string, epoch: number, stream: string): ProducerFold {
  const key = `${epoch}:${producer}`;
  let row = table.get(key);
  if (!row) {
    row = { producer, epoch, stream, last: 0, lastAt: 0, before: NOTHING, ring: NOTHING, filled: 0 };
    table.set(key, row);
  }
  return row;
}

/** Hashes `skip` to `count` of an entry; a seq without one (declined) gets zeros, which equal no event's. */
function pushHashes(row: ProducerFold, base64: string | undefined, skip: number, count: number): void {
  const hashes = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  for (let i = Math.max(skip, count - 256); i < count; i += 1) {
    if (row.filled === row.ring.length) makeRoom(row);
    const has = hashes !== undefined && hashes.length >= (i + 1) * HASH_BYTES;
    if (has) hashes.copy(row.ring, row.filled, i * HASH_BYTES, (i + 1) * HASH_BYTES);
    else row.ring.fill(0, row.filled, row.filled + HASH_BYTES);
    row.filled += HASH_BYTES;
  }
}

function makeRoom(row: ProducerFold): void {
  const { ring, filled } = row;
  const isWhole = ring.length === ROOM_BYTES.most;
  const length = Math.min(ROOM_BYTES.most, Math.max(ROOM_BYTES.first, 2 * ring.length));
  const next = isWhole ? ring : Buffer.allocUnsafe(length);
  row.filled = ring.copy(next, 0, Math.max(0, filled - RING_BYTES), filled);
  row.ring = next;
}

/** The newest 256 hashes of a row, oldest first, in up to two parts. */
export function hashesOf({ before, ring, filled }: ProducerFold): readonly [Buffer, Buffer] {
  const since = ring.subarray(Math.max(0, filled - RING_BYTES), filled);
  return [before.subarray(Math.max(0, before.length + since.length - RING_BYTES)), since];
}

/**
 * u32 rows, then per row: stream 16, epoch u64, last u64, last at i64, length of the producer u16, hashes u16, the
 * producer as UTF-8, the hashes. Rows silent since before `keepFrom` are left out. In parts, since of thousands they are
 * many megabytes.
 */
export function* encodeProducers(table: ProducersTable, keepFrom: number): Generator<Buffer> {
  const rows = [...table.values()].filter(({ lastAt }) => lastAt >= keepFrom);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(rows.length);
  yield count;
  for (const row of rows) {
    const name = Buffer.from(row.producer);
    const [before, since] = hashesOf(row);
    const head = Buffer.alloc(44);
    head.write(row.stream, 0, 'hex');
    writeU64(head, row.epoch, 16);
    writeU64(head, row.last, 24);
    writeU64(head, row.lastAt, 32);
    head.writeUInt16LE(name.length, 40);
    head.writeUInt16LE((before.length + since.length) / HASH_BYTES, 42);
    yield* [head, name, before, since];
  }
}

/** Reads what `encodeProducers` wrote; its checksum was compared before. The bytes MUST stay as they are. */
export function decodeProducers(bytes: Buffer): ProducersTable {
  const table: ProducersTable = new Map();
  let at = 4;
  for (let rows = bytes.length < 4 ? 0 : bytes.readUInt32LE(0); rows > 0; rows -= 1) {
    const nameAt = at + 44;
    const hashesAt = nameAt + bytes.readUInt16LE(at + 40);
    const row = rowOf(
      table,
      bytes.toString('utf8', nameAt, hashesAt),
      readU64(bytes, at + 16),
      bytes.toString('hex', at, at + 16),
    );
    row.last = readU64(bytes, at + 24);
    row.lastAt = readU64(bytes, at + 32);
    at = hashesAt + bytes.readUInt16LE(at + 42) * HASH_BYTES;
    row.before = bytes.subarray(hashesAt, at);
  }
  return table;
}
