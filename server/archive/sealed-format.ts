import type { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { HEADER_BYTES, readU64, writeU64 } from './segment-header.ts';

export const BLOCK_HEADER_BYTES = 102;
/** A producers table begins with the count of its rows. */
const TABLE_COUNT_BYTES = 4;
const BLOCK_TAG_BYTES = 16;
export const INDEX_ROW_BYTES = 100;
export const FOOTER_BYTES = 60;
const ZSTD = 1;

/** A block's place in its file and what it holds: one stream's entries of one segment, in offset order. */
export type BlockRow = {
  /** 32 hex digits. */
  readonly stream: string;
  readonly position: number;
  readonly length: number;
  readonly first: number;
  readonly last: number;
  readonly entries: number;
  readonly events: number;
  readonly firstAt: number;
  readonly lastAt: number;
};

/** A whole block around compressed entries. Key number, chain, nonce and tag are zero under suite 0. */
export function encodeBlock(row: Omit<BlockRow, 'position' | 'length'>, compressed: Buffer): Buffer {
  const bytes = Buffer.alloc(BLOCK_HEADER_BYTES + compressed.length + BLOCK_TAG_BYTES);
  bytes.write(row.stream, 0, 'hex');
  bytes[21] = ZSTD;
  writeU64(bytes, row.first, 62);
  writeU64(bytes, row.last, 70);
  bytes.writeUInt32LE(row.entries, 78);
  bytes.writeUInt32LE(row.events, 82);
  bytes.writeUInt32LE(compressed.length, 98);
  compressed.copy(bytes, BLOCK_HEADER_BYTES);
  return bytes;
}

/** The block's compressed entries; undefined where the block is not the one that the index row describes. */
export function openBlock(bytes: Buffer, row: BlockRow): Buffer | undefined {
  const end = BLOCK_HEADER_BYTES + (bytes.length < BLOCK_HEADER_BYTES ? 0 : bytes.readUInt32LE(98));
  if (bytes.length !== end + BLOCK_TAG_BYTES || bytes.length !== row.length) return undefined;
  const compressed = bytes.subarray(BLOCK_HEADER_BYTES, end);
  // Suite 0 leaves everything else zero, so the header can be said in one comparison.
  const { stream, first, last, entries, events } = row;
  const expected = encodeBlock(
    { stream, first, last, entries, events, firstAt: 0, lastAt: 0 },
    Buffer.alloc(0),
  );
  expected.writeUInt32LE(compressed.length, 98);
  const isSame = expected.compare(bytes, 0, BLOCK_HEADER_BYTES, 0, BLOCK_HEADER_BYTES) === 0;
  return isSame ? compressed : undefined;
}

/** What a block says of itself, but for its times, which only its entries tell; undefined where the file ends within it. */
export function blockRowAt(file: Buffer, position: number): BlockRow | undefined {
  if (position + BLOCK_HEADER_BYTES > file.length) return undefined;
  const bytes = file.subarray(position);
  const length = BLOCK_HEADER_BYTES + bytes.readUInt32LE(98) + BLOCK_TAG_BYTES;
  if (length > bytes.length) return undefined;
  return {
    stream: bytes.toString('hex', 0, 16),
    position,
    length,
    first: readU64(bytes, 62),
    last: readU64(bytes, 70),
    entries: bytes.readUInt32LE(78),
    events: bytes.readUInt32LE(82),
    firstAt: 0,
    lastAt: 0,
  };
}

/** One index row; the node hash stays zero until blocks are chained. */
export function encodeIndexRow(row: BlockRow): Buffer {
  const bytes = Buffer.alloc(INDEX_ROW_BYTES);
  bytes.write(row.stream, 0, 'hex');
  writeU64(bytes, row.position, 16);
  bytes.writeUInt32LE(row.length, 24);
  writeU64(bytes, row.first, 28);
  writeU64(bytes, row.last, 36);
  bytes.writeUInt32LE(row.entries, 44);
  bytes.writeUInt32LE(row.events, 48);
  writeU64(bytes, row.firstAt, 52);
  writeU64(bytes, row.lastAt, 60);
  return bytes;
}

export function decodeIndexRow(index: Buffer, at: number): BlockRow {
  return {
    stream: index.toString('hex', at, at + 16),
    position: readU64(index, at + 16),
    length: index.readUInt32LE(at + 24),
    first: readU64(index, at + 28),
    last: readU64(index, at + 36),
    entries: index.readUInt32LE(at + 44),
    events: index.readUInt32LE(at + 48),
    firstAt: readU64(index, at + 52),
    lastAt: readU64(index, at + 60),
  };
}

/** The row of a stream by binary search; undefined where the segment holds nothing of it. */
export function findIndexRow(index: Buffer, stream: string): BlockRow | undefined {
  const wanted = Buffer.from(stream, 'hex');
  let low = 0;
  let high = index.length / INDEX_ROW_BYTES - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = middle * INDEX_ROW_BYTES;
    const order = wanted.compare(index, at, at + 16);
    if (order === 0) return decodeIndexRow(index, at);
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return undefined;
}

export function indexRows(index: Buffer): BlockRow[] {
  return Array.from({ length: index.length / INDEX_ROW_BYTES }, (_, i) =>
    decodeIndexRow(index, i * INDEX_ROW_BYTES),
  );
}

export type Footer = {
  readonly indexAt: number;
  readonly indexCrc: number;
  readonly tableAt: number;
  readonly tableCrc: number;
};

/**
 * Whether the places of a footer can be those of a segment of so many bytes. Every segment has a block, an index and a table:
 * a footer of zeros would name an index of nothing, and of nothing the checksum is zero.
 */
export function isOrdered({ indexAt, tableAt }: Footer, bytes: number): boolean {
  const isIndex = indexAt >= HEADER_BYTES + BLOCK_HEADER_BYTES && (tableAt - indexAt) % INDEX_ROW_BYTES === 0;
  return isIndex && tableAt > indexAt && tableAt + TABLE_COUNT_BYTES <= bytes - FOOTER_BYTES;
}

/**
 * Index position u64, its crc u32, table position u64, its crc u32, SHA-256 of all before this hash, magic. `soFar` has
 * hashed everything up to the footer; gives the footer and the hash of the whole file.
 */
export function encodeFooter(
  footer: Footer,
  soFar: ReturnType<typeof createHash>,
): { readonly bytes: Buffer; readonly sha256: string } {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  writeU64(bytes, footer.indexAt, 0);
  bytes.writeUInt32LE(footer.indexCrc, 8);
  writeU64(bytes, footer.tableAt, 12);
  bytes.writeUInt32LE(footer.tableCrc, 20);
  soFar.update(bytes.subarray(0, 24));
  soFar.copy().digest().copy(bytes, 24);
  bytes.write('LOS1', 56, 'latin1');
  return { bytes, sha256: soFar.update(bytes.subarray(24)).digest('hex') };
}

export function decodeFooter(bytes: Buffer): Footer | undefined {
  if (bytes.length !== FOOTER_BYTES || bytes.toString('latin1', 56) !== 'LOS1') return undefined;
  return {
    indexAt: readU64(bytes, 0),
    indexCrc: bytes.readUInt32LE(8),
    tableAt: readU64(bytes, 12),
    tableCrc: bytes.readUInt32LE(20),
  };
}

/** Does a part of the file still have its checksum? */
export function isWhole(bytes: Buffer, crc: number): boolean {
  return crc32(bytes) === crc;
}
