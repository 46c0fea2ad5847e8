import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { ArchiveCorruptError, unknownFormat } from './corrupt.ts';
import type { Entry } from './entry.ts';
import { forEachEntry, parseEntry } from './entry-text.ts';
import { type FileSystem, type OpenFile, readRange } from './file-system.ts';
import { runUnpack } from './run-unpack.ts';
import {
  type BlockRow,
  decodeFooter,
  FOOTER_BYTES,
  type Footer,
  findIndexRow,
  indexRows,
  isOrdered,
  isWhole,
  openBlock,
} from './sealed-format.ts';
import { decodeHeader, HEADER_BYTES, laterFormatOf } from './segment-header.ts';
import { SLICE_ENTRIES } from './slices.ts';
import { contentSize, type Unpacked } from './unpack.ts';

const decompress = promisify(zstdDecompress);

/** A committed segment: immutable, so that all there is to know of it is where it is. */
export type SealedSegment = {
  readonly path: string;
  readonly file: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
};

type Reading = { readonly file: OpenFile; readonly segment: SealedSegment; readonly footer: Footer };

function damaged(segment: SealedSegment, what: string): ArchiveCorruptError {
  return new ArchiveCorruptError(segment.file, `its ${what} is damaged`);
}

async function reading<T>(
  fileSystem: FileSystem,
  segment: SealedSegment,
  use: (reading: Reading) => Promise<T>,
): Promise<T> {
  const file = await fileSystem.open(segment.path, 'read');
  try {
    if ((await file.size()) !== segment.bytes) throw damaged(segment, 'length');
    const footer = decodeFooter(await readRange(file, segment.bytes - FOOTER_BYTES, FOOTER_BYTES));
    if (!footer || !isOrdered(footer, segment.bytes)) throw damaged(segment, 'footer');
    return await use({ file, segment, footer });
  } finally {
    await file.close();
  }
}

async function readIndex({ file, segment, footer }: Reading): Promise<Buffer<ArrayBuffer>> {
  const index = await readRange(file, footer.indexAt, footer.tableAt - footer.indexAt);
  if (!isWhole(index, footer.indexCrc)) throw damaged(segment, 'index');
  return index;
}

async function readTable({ file, segment, footer }: Reading): Promise<Buffer> {
  const table = await readRange(file, footer.tableAt, segment.bytes - FOOTER_BYTES - footer.tableAt);
  if (!isWhole(table, footer.tableCrc)) throw damaged(segment, 'producers table');
  return table;
}

async function readBlock(segment: SealedSegment, bytes: Buffer, row: BlockRow): Promise<Buffer> {
  const compressed = openBlock(bytes, row);
  if (!compressed) throw damaged(segment, `block at byte ${row.position}`);
  try {
    // One piece of the right size: the default of 16 KiB pieces is five times slower.
    return await decompress(compressed, { chunkSize: contentSize(compressed) + 64 });
  } catch (cause) {
    throw Object.assign(damaged(segment, `block at byte ${row.position}`), { cause });
  }
}

/** The bytes of the producers table as it was after this segment. */
export function readProducersTable(fileSystem: FileSystem, segment: SealedSegment): Promise<Buffer> {
  return reading(fileSystem, segment, readTable);
}

/** What a start needs to know of a whole segment. */
export type Checked = {
  /** Newest time of receipt. */
  readonly lastAt: number;
  /** Ids of its streams. */
  readonly streams: readonly string[];
};

/** Checks header, footer and index of a segment of this archive. */
export function checkSealed(
  fileSystem: FileSystem,
  segment: SealedSegment,
  archive: string,
): Promise<Checked> {
  return reading(fileSystem, segment, async (open) => {
    const head = await readRange(open.file, 0, HEADER_BYTES);
    const header = decodeHeader(head);
    const later = laterFormatOf(head);
    if (later !== undefined) throw unknownFormat(segment.file, later);
    const isOurs = header?.magic === 'LOS1' && header.archive === archive;
    if (!isOurs || header.first !== segment.first || header.last !== segment.last)
      throw damaged(segment, 'header');
    const rows = indexRows(await readIndex(open));
    const lastAt = rows.reduce((newest, row) => Math.max(newest, row.lastAt), 0);
    return { lastAt, streams: rows.map((row) => row.stream) };
  });
}

/** Entries of some streams of one segment, in offset order. */
export async function readStreams(
  fileSystem: FileSystem,
  segment: SealedSegment,
  streams: readonly string[],
): Promise<Entry[]> {
  return reading(fileSystem, segment, async (open) => {
    const index = await readIndex(open);
    const entries: Entry[] = [];
    for (const stream of streams) {
      const row = findIndexRow(index, stream);
      if (!row) continue;
      const raw = await readBlock(segment, await readRange(open.file, row.position, row.length), row);
      forEachEntry(raw, 0, raw.length, (start, end) => void entries.push(parseEntry(raw, start, end)));
    }
    return streams.length > 1 ? entries.sort((a, b) => a.o - b.o) : entries;
  });
}

/** A segment whose entries can be parsed one by one. */
export type Loaded = Unpacked & { readonly segment: SealedSegment };

/** Reads and decompresses a whole segment. */
export function loadSealed(fileSystem: FileSystem, segment: SealedSegment): Promise<Loaded> {
  return reading(fileSystem, segment, async (open) => {
    const index = await readIndex(open);
    const blocks = await readRange(open.file, 0, open.footer.indexAt);
    const { first, last } = segment;
    const unpacked = await runUnpack({ blocks, index, first, last });
    if ('damaged' in unpacked) throw damaged(segment, unpacked.damaged);
    return { segment, ...unpacked };
  });
}

/** Parses entries `from ≤ o < to` of a loaded segment, slice by slice. */
export function* parseSealed({ segment, raw, at }: Loaded, from: number, to: number): Generator<Entry[]> {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  const end = Math.min(to, segment.last + 1) - segment.first;
  for (let i = Math.max(0, from - segment.first); i < end; ) {
    const slice: Entry[] = [];
    for (const stop = Math.min(end, i + SLICE_ENTRIES); i < stop; i += 1) {
      const start = at[i] ?? 0;
      slice.push(parseEntry(bytes, start, start + bytes.readUInt32LE(start - 4)));
    }
    yield slice;
  }
}
