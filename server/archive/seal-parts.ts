import { createHash, randomBytes } from 'node:crypto';
import { constants, crc32, zstdCompressSync } from 'node:zlib';
import { ArchiveCorruptError } from './corrupt.ts';
import type { Entry } from './entry.ts';
import { type EntryHead, forEachEntry, readHead } from './entry-text.ts';
import { type Group, groupAt, MAX_GROUP_BYTES } from './group.ts';
import type { OpenBytes } from './open-bytes.ts';
import { decodeProducers, encodeProducers, foldProducer, type ProducersTable } from './producers-table.ts';
import { type BlockRow, encodeBlock, encodeFooter, encodeIndexRow } from './sealed-format.ts';
import { decodeHeader, encodeHeader, HEADER_BYTES } from './segment-header.ts';

/** What sealing needs to know; plain values, since it runs in a thread of its own. */
export type SealJob = {
  /** Stream ids by name (`streamName`), 32 hex digits. */
  readonly streams: ReadonlyMap<string, string>;
  readonly createdAt: number;
  /** Rows of the producers table silent since before this are dropped. */
  readonly keepProducersFrom: number;
};

export type Sealed = {
  /** Its length. */
  readonly bytes: number;
  /** Streams that this segment is the first to need. */
  readonly newStreams: ReadonlyMap<string, string>;
  readonly first: number;
  readonly last: number;
  readonly fence: number;
  readonly entries: number;
  readonly events: number;
  readonly blocks: number;
  readonly sha256: string;
};

/** Bad rows of a student lie apart from the student's events: they have a shorter life and another right to see them. */
export function streamName(entry: Pick<Entry, 'k' | 's'>): string {
  if (entry.s === undefined) return `system:${entry.k}`;
  return entry.k === 'bad' ? `bad:${entry.s}` : `student:${entry.s}`;
}

type Stream = {
  readonly id: string;
  /** Where each entry begins and ends in the open segment, its length included. */
  readonly places: number[];
  bytes: number;
  first: number;
  last: number;
  events: number;
  firstAt: number;
  lastAt: number;
};

const COMPRESSION = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
/** In powers of two, bytes. What fits is compressed with tables of its own size: those of the level are mapped and unmapped for each. */
const WINDOW = { least: 10, most: 16 };
/** A hash of four bytes for so many bytes of the window, as a power of two. */
const HASH_SHARE = 2;
/** What is written compresses eightfold and more: a block usually has room in this share of it, and else takes a second piece. */
const USUAL_SHARE = 4;
const LEAST_PIECE_BYTES = 1024;

/** The segment as it is taken apart: which entries belong to which stream, and what producers did. */
type Sorting = {
  readonly job: SealJob;
  readonly open: OpenBytes;
  readonly table: ProducersTable;
  readonly streams: Map<string, Stream>;
  readonly newStreams: Map<string, string>;
  next: number;
};

/**
 * The sealed form of an open segment (delivery.md §5), part by part, so that nobody has all of it in memory: a pure function but
 * for the random ids of new streams. `before` is the producers table of the segment before, empty for the first; its bytes
 * MUST stay as they are. Throws `ArchiveCorruptError` where the open segment is damaged, before the first part.
 */
export function* sealParts(job: SealJob, open: OpenBytes, before: Buffer): Generator<Uint8Array, Sealed> {
  const header = open.length < HEADER_BYTES ? undefined : decodeHeader(copyOf(open, 0, HEADER_BYTES));
  if (!header) throw new ArchiveCorruptError('open segment, byte 0', 'its header is damaged');
  const { first, fence, archive, partition } = header;
  const table = decodeProducers(before);
  const sorting: Sorting = { job, open, table, streams: new Map(), newStreams: new Map(), next: first };
  sortEntries(sorting);
  const streams = [...sorting.streams.values()];
  const counts = {
    first,
    last: sorting.next - 1,
    fence,
    entries: sorting.next - first,
    events: streams.reduce((sum, stream) => sum + stream.events, 0),
  };
  const { createdAt } = job;
  const sealedHeader = encodeHeader({ magic: 'LOS1', partition, archive, createdAt, ...counts });
  const written = yield* segmentParts(
    sealedHeader,
    blocksOf(open, streams),
    encodeProducers(table, job.keepProducersFrom),
  );
  return { ...written, newStreams: sorting.newStreams, blocks: streams.length, ...counts };
}

function copyOf(open: OpenBytes, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  open.copy(bytes, position);
  return bytes;
}

function sortEntries(sorting: Sorting): void {
  const { open } = sorting;
  let room = Buffer.alloc(0);
  for (let at = HEADER_BYTES; at < open.length; ) {
    const length = lengthAt(open, at);
    if (room.length < length) room = Buffer.allocUnsafeSlow(length);
    const bytes = room.subarray(0, length);
    open.copy(bytes, at);
    const group = groupAt(bytes, 0);
    if (!group) throw damagedAt(at);
    sortGroup(sorting, bytes, group, at);
    at += length;
  }
}

/** How long the group at this place says that it is. */
function lengthAt(open: OpenBytes, at: number): number {
  if (at + 4 > open.length) throw damagedAt(at);
  const length = copyOf(open, at, 4).readUInt32LE(0);
  if (length > MAX_GROUP_BYTES || at + length > open.length) throw damagedAt(at);
  return length;
}

function damagedAt(at: number): ArchiveCorruptError {
  return new ArchiveCorruptError(`open segment, byte ${at}`, 'a group is damaged');
}

/** `at`: where the group's bytes begin in the segment. */
function sortGroup(sorting: Sorting, bytes: Buffer, { entriesStart, entriesEnd }: Group, at: number): void {
  forEachEntry(bytes, entriesStart, entriesEnd, (start, end) => {
    sortEntry(sorting, readHead(bytes, start, end), at + start, at + end);
  });
}

function sortEntry(sorting: Sorting, { entry, events }: EntryHead, start: number, end: number): void {
  const { table, streams } = sorting;
  if (entry.o !== sorting.next)
    throw new ArchiveCorruptError(`open segment, byte ${start}`, 'an offset is missing');
  sorting.next += 1;
  const name = streamName(entry);
  const stream = streams.get(name) ?? startStream(sorting, name, entry);
  stream.places.push(start - 4, end);
  stream.bytes += end - start + 4;
  stream.last = entry.o;
  stream.lastAt = entry.t;
  stream.events += events;
  foldProducer(table, entry, events, stream.id);
}

function startStream(
  { job, streams, newStreams }: Sorting,
  name: string,
  { o, t }: Pick<Entry, 'o' | 't'>,
): Stream {
  let id = job.streams.get(name);
  if (id === undefined) {
    id = randomBytes(16).toString('hex');
    newStreams.set(name, id);
  }
  const stream = { id, places: [], bytes: 0, first: o, last: o, events: 0, firstAt: t, lastAt: t };
  streams.set(name, stream);
  return stream;
}

function compressed(raw: Buffer): Buffer {
  const chunkSize = Math.max(LEAST_PIECE_BYTES, Math.ceil(raw.length / USUAL_SHARE));
  return zstdCompressSync(raw, { params: { ...COMPRESSION, ...tablesFor(raw.length) }, chunkSize });
}

/** Thousands of streams of some kilobytes: mapping and unmapping for each took more of the system's time than compressing. */
function tablesFor(length: number): Record<number, number> {
  const windowLog = Math.max(WINDOW.least, 32 - Math.clz32(length - 1));
  if (windowLog > WINDOW.most) return {};
  return {
    [constants.ZSTD_c_windowLog]: windowLog,
    [constants.ZSTD_c_hashLog]: windowLog - HASH_SHARE,
  };
}

/** Its entries, one behind the other, at the beginning of `all`. */
function gather(open: OpenBytes, { places }: Stream, all: Buffer): void {
  let at = 0;
  for (let i = 0; i < places.length; i += 2) {
    const from = places[i] ?? 0;
    const end = at + (places[i + 1] ?? 0) - from;
    open.copy(all.subarray(at, end), from);
    at = end;
  }
}

type Block = { readonly row: Omit<BlockRow, 'position' | 'length'>; readonly bytes: Uint8Array };

function* blocksOf(open: OpenBytes, streams: Stream[]): Generator<Block> {
  // One for all: thousands of them would pass for little to the collector, and lie beside its heap.
  const room = Buffer.allocUnsafeSlow(streams.reduce((most, { bytes }) => Math.max(most, bytes), 0));
  for (const stream of streams.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { id, first, last, events, firstAt, lastAt } = stream;
    const row = { stream: id, first, last, entries: stream.places.length / 2, events, firstAt, lastAt };
    const raw = room.subarray(0, stream.bytes);
    gather(open, stream, raw);
    yield { row, bytes: encodeBlock(row, compressed(raw)) };
  }
}

/** A sealed segment from its header and blocks: with index, table and the footer that finds them. Gives its length and hash. */
export function* segmentParts(
  header: Uint8Array,
  blocks: Iterable<Block>,
  table: Iterable<Uint8Array>,
): Generator<Uint8Array, { readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  const rows: Buffer[] = [];
  let position = 0;
  const counted = (part: Uint8Array) => {
    hash.update(part);
    position += part.length;
    return part;
  };
  yield counted(header);
  for (const { row, bytes } of blocks) {
    rows.push(encodeIndexRow({ ...row, position, length: bytes.length }));
    yield counted(bytes);
  }
  const indexAt = position;
  const index = Buffer.concat(rows);
  yield counted(index);
  const tableAt = position;
  let tableCrc = 0;
  for (const part of table) {
    tableCrc = crc32(part, tableCrc);
    yield counted(part);
  }
  const footer = encodeFooter({ indexAt, indexCrc: crc32(index), tableAt, tableCrc }, hash);
  yield footer.bytes;
  return { bytes: position + footer.bytes.length, sha256: footer.sha256 };
}

/** All of it in memory, where it is known to be little or is needed whole. */
export function wholeOf<T>(parts: Generator<Uint8Array, T>): { readonly bytes: Buffer; readonly made: T } {
  const all: Uint8Array[] = [];
  for (;;) {
    const step = parts.next();
    if (step.done) return { bytes: Buffer.concat(all), made: step.value };
    all.push(step.value);
  }
}
