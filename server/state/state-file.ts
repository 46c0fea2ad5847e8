import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { inSlices } from '#server/in-slices.ts';
import type { StudentWrites } from './state-store.ts';

/** Where a value is in the file, and its checksum. */
export type Place = { readonly at: number; readonly bytes: number; readonly crc: number };

/** `part`: of a snapshot · `whole`: ends the snapshot · `flush`: one flush, or one claim. */
export type Head =
  | { readonly kind: 'part' }
  | {
      readonly kind: 'whole' | 'flush';
      readonly archive: string;
      readonly fence: number;
      readonly checkpoint: number;
    };
type FullHead = Exclude<Head, { kind: 'part' }>;

export type Written = {
  readonly student: string;
  readonly set: readonly (readonly [field: string, place: Place])[];
  readonly del: readonly string[];
};

export type StateFile = {
  readonly size: number;
  /** Appends one record, whole or not at all, as far as this process lives; gives where its values are. */
  append(head: Head, writes: Iterable<StudentWrites>): Promise<readonly Written[]>;
  /** Throws where a value is not what was written. */
  read(places: ReadonlyMap<string, Place>): Promise<Map<string, string>>;
  sync(): Promise<void>;
  syncFolder(folder: string): Promise<void>;
  close(): Promise<void>;
};

/** Record: u32 length of index, u32 crc of index, index (JSON: the head, and per value its field, length, crc), values. */
type Index = Head & {
  readonly w: readonly (readonly [
    student: string,
    set: readonly (readonly [field: string, bytes: number, crc: number])[],
    del: readonly string[],
  ])[];
};

const PREFIX = 8;
/** Values are gathered in pieces of this size, which neither grow nor are put together again. */
const PIECE_BYTES = 256 * 1024;
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

type Record = {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  readonly written: readonly Written[];
};

/** A large record is made in slices, so that sockets and timers have their turn; what it holds cannot change meanwhile. */
async function recordOf(head: Head, writes: Iterable<StudentWrites>, at: number): Promise<Record> {
  const w: string[] = [];
  const values: Values = { pieces: [], last: Buffer.alloc(0), used: 0, bytes: 0 };
  const written: Written[] = [];
  const places: Movable[] = [];
  await inSlices(writes, (one) => written.push(writeValues(values, one, w, places)));
  const index = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"w":[${w.join(',')}]}`);
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32LE(index.length, 0);
  prefix.writeUInt32LE(crc32(index), 4);
  const from = at + PREFIX + index.length;
  for (const place of places) place.at += from;
  const pieces = [prefix, index, ...values.pieces, values.last.subarray(0, values.used)];
  return { pieces, bytes: PREFIX + index.length + values.bytes, written };
}

type Movable = { -readonly [Name in keyof Place]: Place[Name] };
/** Whole pieces, and the one that is being filled. */
type Values = { readonly pieces: Buffer[]; last: Buffer; used: number; bytes: number };

/** Puts the values one behind the other, and the student's part of the index into `w`; places count from the first value. */
function writeValues(
  values: Values,
  { student, set, del }: StudentWrites,
  w: string[],
  places: Movable[],
): Written {
  const placed: (readonly [string, Place])[] = [];
  const fields: string[] = [];
  for (const [field, value] of set) {
    const place = append(values, value);
    places.push(place);
    placed.push([field, place]);
    fields.push(`[${JSON.stringify(field)},${place.bytes},${place.crc}]`);
  }
  w.push(`[${JSON.stringify(student)},[${fields.join(',')}],${JSON.stringify(del)}]`);
  return { student, set: placed, del };
}

function append(values: Values, text: string): Movable {
  // Three bytes for each UTF-16 unit is the most that UTF-8 takes.
  const most = text.length * 3;
  if (values.used + most > values.last.length) {
    values.pieces.push(values.last.subarray(0, values.used));
    values.last = Buffer.allocUnsafeSlow(Math.max(most, PIECE_BYTES));
    values.used = 0;
  }
  const bytes = values.last.write(text, values.used, 'utf8');
  const crc = crc32(values.last.subarray(values.used, values.used + bytes));
  const place = { at: values.bytes, bytes, crc };
  values.used += bytes;
  values.bytes += bytes;
  return place;
}

function placesOf(index: Index, at: number): readonly Written[] {
  let next = at;
  return index.w.map(([student, set, del]) => ({
    student,
    set: set.map(([field, bytes, crc]) => {
      const place = { at: next, bytes, crc };
      next += bytes;
      return [field, place] as const;
    }),
    del,
  }));
}

async function readPlaces(
  handle: FileHandle,
  places: ReadonlyMap<string, Place>,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
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

function valueAt(bytes: Buffer, place: Place, from: number): string {
  const value = bytes.subarray(place.at - from, place.at - from + place.bytes);
  if (value.length !== place.bytes || crc32(value) !== place.crc)
    throw new Error('a stored state is damaged');
  return value.toString();
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

export type FoundFile = {
  readonly head: FullHead;
  readonly records: readonly { readonly writes: readonly Written[] }[];
  readonly end: number;
  readonly bytesSinceSnapshot: number;
};

/** Reads a file up to its first record that is not what was written; null when its snapshot is not whole. */
export async function readStateFile(path: string): Promise<FoundFile | null> {
  const handle = await open(path, 'r');
  try {
    const records: { readonly writes: readonly Written[] }[] = [];
    let head: FullHead | null = null;
    let end = 0;
    let snapshotEnd = 0;
    for (let found = await readRecord(handle, 0); found; found = await readRecord(handle, end)) {
      records.push({ writes: found.writes });
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
): Promise<{ readonly head: Head; readonly writes: readonly Written[]; readonly end: number } | null> {
  const prefix = await readRange(handle, at, PREFIX);
  if (prefix.length < PREFIX) return null;
  const length = prefix.readUInt32LE(0);
  // A power cut may leave zeros where bytes were on their way, and they would agree: of nothing the checksum is zero.
  if (length === 0 || length > (await handle.stat()).size - at) return null;
  const text = await readRange(handle, at + PREFIX, length);
  if (text.length < length || crc32(text) !== prefix.readUInt32LE(4)) return null;
  const index = JSON.parse(text.toString()) as Index;
  const writes = placesOf(index, at + PREFIX + length);
  const places = new Map(
    writes.flatMap(({ set }, i) => set.map(([field, place]) => [`${i} ${field}`, place])),
  );
  const bytes = [...places.values()].reduce((sum, place) => sum + place.bytes, 0);
  const isWhole = await readPlaces(handle, places).then(
    () => true,
    () => false,
  );
  return isWhole ? { head: index, writes, end: at + PREFIX + length + bytes } : null;
}
