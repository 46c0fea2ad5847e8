import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { ArchiveCorruptError } from './corrupt.ts';
import type { Entry } from './entry.ts';
import { forEachEntry, offsetOf, parseEntry } from './entry-text.ts';
import { type FileSystem, type OpenFile, readRange } from './file-system.ts';
import {
  type BlockRow,
  decodeFooter,
  FOOTER_BYTES,
  type Footer,
  findIndexRow,
  indexRows,
  isWhole,
  openBlock,
} from './sealed-format.ts';
import { decodeHeader, HEADER_BYTES } from './segment-header.ts';
import { SLICE_ENTRIES } from './slices.ts';

const decompress = promisify(zstdDecompress);
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

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
    const isOrdered =
      footer && footer.indexAt <= footer.tableAt && footer.tableAt <= segment.bytes - FOOTER_BYTES;
    if (!isOrdered) throw damaged(segment, 'footer');
    return await use({ file, segment, footer });
  } finally {
    await file.close();
  }
}

async function readIndex({ file, segment, footer }: Reading): Promise<Buffer> {
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

/** Length of what a zstd frame holds, as its header says (RFC 8878, 3.1.1.1); a guess where it does not say. */
function contentSize(frame: Buffer): number {
  const descriptor = frame[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if (width === 0 || frame.length < at + width) return 64 * 1024;
  // Damaged headers must not ask for gigabytes.
  const size = frame.readUIntLE(at, Math.min(width, 6)) + (width === 2 ? 256 : 0);
  return Math.min(size, MAX_CHUNK_BYTES);
}

/** The bytes of the producers table as it was after this segment. */
export function readProducersTable(fileSystem: FileSystem, segment: SealedSegment): Promise<Buffer> {
  return reading(fileSystem, segment, readTable);
}

/** The archive that a segment should belong to, and the streams that its key store knows. */
export type Owner = { readonly archive: string; readonly isKnown: (stream: string) => boolean };

/** Checks header, footer, index and that the key store knows each stream; gives the newest time of receipt in the segment. */
export function checkSealed(fileSystem: FileSystem, segment: SealedSegment, owner: Owner): Promise<number> {
  return reading(fileSystem, segment, async (open) => {
    const header = decodeHeader(await readRange(open.file, 0, HEADER_BYTES));
    const isOurs = header?.magic === 'LOS1' && header.archive === owner.archive;
    if (!isOurs || header.first !== segment.first || header.last !== segment.last)
      throw damaged(segment, 'header');
    const rows = indexRows(await readIndex(open));
    for (const { stream } of rows) {
      if (!owner.isKnown(stream)) {
        throw new ArchiveCorruptError('keys/streams.log', `it lost a stream of ${segment.file}`);
      }
    }
    return rows.reduce((newest, row) => Math.max(newest, row.lastAt), 0);
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

/** Where each entry of a segment lies among its decompressed blocks, by offset less `first`. */
export type Layout = {
  readonly segment: SealedSegment;
  readonly raws: Buffer[];
  readonly block: Uint32Array;
  readonly at: Uint32Array;
};

/**
 * Decompresses a whole segment. Blocks are grouped by student, offsets of a segment are without gaps: so each entry is put
 * in its place by its offset, which costs less than merging the blocks.
 */
export function loadSealed(fileSystem: FileSystem, segment: SealedSegment): Promise<Layout> {
  return reading(fileSystem, segment, async (open) => {
    const rows = indexRows(await readIndex(open));
    const blocks = await readRange(open.file, 0, open.footer.indexAt);
    const count = segment.last - segment.first + 1;
    const layout = {
      segment,
      raws: [] as Buffer[],
      block: new Uint32Array(count),
      at: new Uint32Array(count),
    };
    let found = 0;
    for (const [number, row] of rows.entries()) {
      const raw = await readBlock(segment, blocks.subarray(row.position, row.position + row.length), row);
      layout.raws.push(raw);
      found += forEachEntry(raw, 0, raw.length, (start) => {
        const i = offsetOf(raw, start) - segment.first;
        layout.block[i] = number;
        layout.at[i] = start;
      });
    }
    if (found !== count || layout.at.includes(0)) throw damaged(segment, 'set of offsets');
    return layout;
  });
}

/** Parses entries `from ≤ o < to` of a loaded segment, slice by slice. */
export function* parseSealed(layout: Layout, from: number, to: number): Generator<Entry[]> {
  const { segment, raws, block, at } = layout;
  const end = Math.min(to, segment.last + 1) - segment.first;
  for (let i = Math.max(0, from - segment.first); i < end; ) {
    const slice: Entry[] = [];
    for (const stop = Math.min(end, i + SLICE_ENTRIES); i < stop; i += 1) {
      const raw = raws[block[i] ?? 0];
      const start = at[i] ?? 0;
      if (raw) slice.push(parseEntry(raw, start, start + raw.readUInt32LE(start - 4)));
    }
    yield slice;
  }
}
