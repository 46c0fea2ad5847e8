import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { inSlices } from '#server/in-slices.ts';
import { giveBack } from './pieces.ts';
import type { Place } from './places.ts';
import {
  forEachPlace,
  type Head,
  type Index,
  isIndexOf,
  lengthsIn,
  PREFIX_BYTES,
  type StateRecord,
  startRecord,
  studentsOf,
  type Writes,
  type Written,
  writtenOf,
} from './state-record.ts';

export type StateFile = {
  readonly size: number;
  /** Appends one record, whole or not at all, as far as this process lives; gives where its values are. */
  append(head: Head, writes: Iterable<Writes>): Promise<Written>;
  /** The bytes of values, by field. Throws where one is not what was written. */
  read(places: Iterable<readonly [field: string, Place]>): Promise<Map<string, Buffer>>;
  sync(): Promise<void>;
  syncFolder(folder: string): Promise<void>;
  close(): Promise<void>;
};

/** Values that lie close together are read in one go. */
const READ_GAP = 16 * 1024;

/** Opens a file for records after its first `size` bytes; what follows them is cut off. */
export async function openStateFile(path: string, size: number): Promise<StateFile> {
  const handle = await open(path, size === 0 ? 'w+' : 'r+', 0o600);
  await handle.truncate(size);
  let end = size;
  const spare: Buffer[] = [];
  return {
    get size() {
      return end;
    },
    async append(head, writes) {
      const record = startRecord(head, end, spare);
      try {
        let next = end + PREFIX_BYTES;
        for await (const pieces of piecesOf(record, writes)) {
          next = await writeAll(handle, pieces, next);
          giveBack(spare, pieces);
        }
        const { rest, prefix, written } = record.finish();
        // Where nothing is written yet, all of it goes in one.
        const isWhole = next === end + PREFIX_BYTES;
        next = await writeAll(handle, isWhole ? [prefix, ...rest] : rest, isWhole ? end : next);
        if (!isWhole) await writeAll(handle, [prefix], end);
        giveBack(spare, rest);
        end = next;
        return written;
      } catch (cause) {
        await handle.truncate(end).catch(() => {});
        throw cause;
      }
    },
    read: (places) => readPlaces(handle, places),
    sync: () => handle.datasync(),
    async syncFolder(folder) {
      const directory = await open(folder, 'r');
      await directory.sync().finally(() => directory.close());
    },
    close: () => handle.close(),
  };
}

/**
 * Adds all to the record, in slices so that sockets and timers have their turn, and gives its bytes as they are complete:
 * the flush of a school is never in memory as a whole. What it holds cannot change meanwhile.
 */
async function* piecesOf(record: StateRecord, writes: Iterable<Writes>): AsyncIterable<readonly Buffer[]> {
  let pieces = record.take();
  const all = writes[Symbol.iterator]();
  let isOver = false;
  function* some(): Iterable<Writes> {
    for (let next = all.next(); ; next = all.next()) {
      isOver = next.done === true;
      if (next.done) return;
      yield next.value;
      pieces = record.take();
      if (pieces.length > 0) return;
    }
  }
  while (!isOver) {
    await inSlices(some(), record.add);
    if (pieces.length > 0) yield pieces;
    pieces = [];
  }
}

/** However little the system takes at a time; gives where they end. */
export async function writeAll(
  handle: Pick<FileHandle, 'writev'>,
  pieces: readonly Buffer[],
  at: number,
): Promise<number> {
  let left = pieces;
  let next = at;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, next);
    next += bytesWritten;
    left = after(left, bytesWritten);
  }
  return next;
}

/** What is left of the pieces behind so many bytes. */
function after(pieces: readonly Buffer[], bytes: number): readonly Buffer[] {
  let skipped = 0;
  for (const [i, piece] of pieces.entries()) {
    if (skipped + piece.length > bytes) return [piece.subarray(bytes - skipped), ...pieces.slice(i + 1)];
    skipped += piece.length;
  }
  return [];
}

async function readPlaces(
  handle: FileHandle,
  places: Iterable<readonly [field: string, Place]>,
): Promise<Map<string, Buffer>> {
  const values = new Map<string, Buffer>();
  const sorted = [...places].sort(([, a], [, b]) => a.at - b.at);
  for (let i = 0; i < sorted.length; ) {
    const from = sorted[i]?.[1].at ?? 0;
    let to = from;
    const group: typeof sorted = [];
    for (let next = sorted[i]; next && next[1].at - to <= READ_GAP; next = sorted[++i]) {
      group.push(next);
      to = next[1].at + next[1].bytes;
    }
    const bytes = await readRange(handle, from, to - from);
    for (const [field, place] of group) values.set(field, valueAt(bytes, place, from));
  }
  return values;
}

function valueAt(bytes: Buffer, place: Place, from: number): Buffer {
  const value = bytes.subarray(place.at - from, place.at - from + place.bytes);
  if (value.length !== place.bytes || (crc32(value) | 0) !== place.crc)
    throw new Error('a stored state is damaged');
  return value;
}

async function readRange(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

type FullHead = Exclude<Head, { kind: 'part' }>;

export type FoundFile = {
  readonly head: FullHead;
  readonly records: readonly Written[];
  readonly end: number;
  readonly bytesSinceSnapshot: number;
};

/** Reads a file up to its first record that is not what was written; null when its snapshot is not whole. */
export async function readStateFile(path: string): Promise<FoundFile | null> {
  const handle = await open(path, 'r');
  try {
    const records: Written[] = [];
    let head: FullHead | null = null;
    let end = 0;
    let snapshotEnd = 0;
    for (let found = await readRecord(handle, 0); found; found = await readRecord(handle, end)) {
      records.push(found.written);
      end = found.end;
      if (found.head.kind === 'part') continue;
      head = found.head;
      if (head.kind === 'whole') snapshotEnd = end;
    }
    // The first full head ends the snapshot; without it nothing is whole.
    return head && { head, records, end, bytesSinceSnapshot: end - snapshotEnd };
  } finally {
    await handle.close();
  }
}

async function readRecord(
  handle: FileHandle,
  at: number,
): Promise<{ readonly head: Head; readonly written: Written; readonly end: number } | null> {
  const prefix = await readRange(handle, at, PREFIX_BYTES);
  const lengths = lengthsIn(prefix);
  const { size } = await handle.stat();
  if (!lengths || at + PREFIX_BYTES + lengths.values + lengths.index > size) return null;
  const text = await readRange(handle, at + PREFIX_BYTES + lengths.values, lengths.index);
  if (!isIndexOf(prefix, text)) return null;
  const index = JSON.parse(text.toString()) as Index;
  const written = writtenOf(index, at + PREFIX_BYTES);
  const places = new Map<string, Place>();
  for (const one of studentsOf(written))
    forEachPlace(written, one, (field, from, bytes, crc) => {
      places.set(`${one.first} ${field}`, { at: from, bytes, crc });
    });
  const isWhole = await readPlaces(handle, places).then(
    () => true,
    () => false,
  );
  const end = at + PREFIX_BYTES + lengths.values + lengths.index;
  return isWhole ? { head: index, written, end } : null;
}
