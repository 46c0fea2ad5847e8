import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  type Head,
  type Index,
  type Place,
  PREFIX_BYTES,
  placesOf,
  recordOf,
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
  read(places: ReadonlyMap<string, Place>): Promise<Map<string, Buffer>>;
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
  return {
    get size() {
      return end;
    },
    async append(head, writes) {
      const { pieces, bytes, written } = await recordOf(head, writes, end);
      try {
        await writeAll(handle, pieces, end);
      } catch (cause) {
        await handle.truncate(end).catch(() => {});
        throw cause;
      }
      end += bytes;
      return written;
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

/** However little the system takes at a time. */
export async function writeAll(
  handle: Pick<FileHandle, 'writev'>,
  pieces: readonly Buffer[],
  at: number,
): Promise<void> {
  let left = pieces;
  for (let next = at; left.length > 0; ) {
    const { bytesWritten } = await handle.writev(left, next);
    next += bytesWritten;
    left = after(left, bytesWritten);
  }
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
  places: ReadonlyMap<string, Place>,
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
  if (value.length !== place.bytes || crc32(value) !== place.crc)
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
  if (prefix.length < PREFIX_BYTES) return null;
  const length = prefix.readUInt32LE(0);
  // A power cut may leave zeros where bytes were on their way, and they would agree: of nothing the checksum is zero.
  if (length === 0 || length > (await handle.stat()).size - at) return null;
  const text = await readRange(handle, at + PREFIX_BYTES, length);
  if (text.length < length || crc32(text) !== prefix.readUInt32LE(4)) return null;
  const index = JSON.parse(text.toString()) as Index;
  const written = writtenOf(index, at + PREFIX_BYTES + length);
  const places = new Map<string, Place>();
  let end = written.at;
  for (const one of studentsOf(written)) {
    for (const [field, place] of placesOf(written, one)) {
      places.set(`${one.first} ${field}`, place);
      end = place.at + place.bytes;
    }
  }
  const isWhole = await readPlaces(handle, places).then(
    () => true,
    () => false,
  );
  return isWhole ? { head: index, written, end } : null;
}
