import { zstdDecompressSync } from 'node:zlib';
import { forEachEntry, offsetOf } from './entry-text.ts';
import { indexRows, openBlock } from './sealed-format.ts';

/** A sealed segment's bytes up to its index, and its index. */
export type Packed = {
  readonly blocks: Uint8Array<ArrayBuffer>;
  readonly index: Uint8Array<ArrayBuffer>;
  readonly first: number;
  readonly last: number;
};

/** Every entry of a segment: its JSON begins at `at[offset - first]` of `raw`, its length (u32) stands before it. */
export type Unpacked = { readonly raw: Uint8Array<ArrayBuffer>; readonly at: Uint32Array<ArrayBuffer> };

/** What of a segment is damaged, for its `ArchiveCorruptError`. */
export type Damage = { readonly damaged: string };

const LARGEST_BLOCK_BYTES = 1024 ** 3;

/**
 * Decompresses a whole segment. Blocks are grouped by student, offsets of a segment are without gaps: so each entry is put
 * in its place by its offset, which costs less than merging the blocks.
 */
export function unpack({ blocks, index, first, last }: Packed): Unpacked | Damage {
  const file = Buffer.from(blocks.buffer, blocks.byteOffset, blocks.length);
  const parts: Buffer[] = [];
  for (const row of indexRows(Buffer.from(index.buffer, index.byteOffset, index.length))) {
    const compressed = openBlock(file.subarray(row.position, row.position + row.length), row);
    const part = compressed && inflated(compressed);
    if (!part) return { damaged: `block at byte ${row.position}` };
    parts.push(part);
  }
  const raw = Buffer.from(new ArrayBuffer(parts.reduce((sum, part) => sum + part.length, 0)));
  let end = 0;
  for (const part of parts) end += part.copy(raw, end);
  const at = placesOf(raw, first, last);
  return at ? { raw, at } : { damaged: 'set of offsets' };
}

/** Undefined where the frame is damaged. */
export function inflated(compressed: Buffer): Buffer | undefined {
  try {
    // One piece of the right size: the default of 16 KiB pieces is five times slower.
    return zstdDecompressSync(compressed, {
      chunkSize: contentSize(compressed) + 64,
      maxOutputLength: LARGEST_BLOCK_BYTES,
    });
  } catch {
    return undefined;
  }
}

/** Undefined where lengths do not add up, or an offset is missing. */
function placesOf(raw: Buffer, first: number, last: number): Uint32Array<ArrayBuffer> | undefined {
  const at = new Uint32Array(last - first + 1);
  try {
    const found = forEachEntry(raw, 0, raw.length, (start) => {
      at[offsetOf(raw, start) - first] = start;
    });
    return found === at.length && !at.includes(0) ? at : undefined;
  } catch {
    return undefined;
  }
}

const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

/** Length of what a zstd frame holds, as its header says (RFC 8878, 3.1.1.1); a guess where it does not say. */
export function contentSize(frame: Buffer): number {
  const descriptor = frame[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if (width === 0 || frame.length < at + width) return 64 * 1024;
  // Damaged headers must not ask for gigabytes.
  const size = frame.readUIntLE(at, Math.min(width, 6)) + (width === 2 ? 256 : 0);
  return Math.min(size, MAX_CHUNK_BYTES);
}
