import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 128;
export const FORMAT = 1;

/** What both kinds of segment begin with (delivery.md §5); `last`, `entries` and `events` are zero in an open one. */
export type SegmentHeader = {
  readonly magic: 'LOA1' | 'LOS1';
  readonly partition: number;
  readonly archive: string;
  readonly first: number;
  readonly fence: number;
  readonly createdAt: number;
  readonly last: number;
  readonly entries: number;
  readonly events: number;
};

const AT = { archive: 8, first: 24, fence: 32, createdAt: 40, last: 96, entries: 104, events: 108, crc: 124 };

/** Segment key id (at 48) and the predecessor's hash (at 64) stay zero under suite 0. */
export function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(header.magic, 0, 'latin1');
  bytes.writeUInt16LE(FORMAT, 4);
  bytes.writeUInt16LE(header.partition, 6);
  bytes.write(header.archive, AT.archive, 'hex');
  writeU64(bytes, header.first, AT.first);
  writeU64(bytes, header.fence, AT.fence);
  writeU64(bytes, header.createdAt, AT.createdAt);
  writeU64(bytes, header.last, AT.last);
  bytes.writeUInt32LE(header.entries, AT.entries);
  bytes.writeUInt32LE(header.events, AT.events);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, AT.crc)), AT.crc);
  return bytes;
}

/** Undefined where the bytes are no whole header of a format that this version knows. */
export function decodeHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  if (crc32(bytes.subarray(0, AT.crc)) !== bytes.readUInt32LE(AT.crc)) return undefined;
  const magic = bytes.toString('latin1', 0, 4);
  if ((magic !== 'LOA1' && magic !== 'LOS1') || bytes.readUInt16LE(4) !== FORMAT) return undefined;
  return {
    magic,
    partition: bytes.readUInt16LE(6),
    archive: bytes.toString('hex', AT.archive, AT.first),
    first: readU64(bytes, AT.first),
    fence: readU64(bytes, AT.fence),
    createdAt: readU64(bytes, AT.createdAt),
    last: readU64(bytes, AT.last),
    entries: bytes.readUInt32LE(AT.entries),
    events: bytes.readUInt32LE(AT.events),
  };
}

/** The format of a whole header that a later version of this software wrote. */
export function laterFormatOf(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  if (crc32(bytes.subarray(0, AT.crc)) !== bytes.readUInt32LE(AT.crc)) return undefined;
  const format = bytes.readUInt16LE(4);
  return format > FORMAT && /^LO[AS]\d$/.test(bytes.toString('latin1', 0, 4)) ? format : undefined;
}

const TWO_32 = 2 ** 32;

/** Offsets, times and sequence numbers stay below 2^53, so two halves do without a BigInt. */
export function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % TWO_32, at);
  bytes.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_32;
}

/** Twelve hex digits, as in file names. */
export function hex12(value: number): string {
  return value.toString(16).padStart(12, '0');
}

export const OPEN_NAME = /^([0-9a-f]{12})-([0-9a-f]{12})\.open$/;
export const SEALED_NAME = /^([0-9a-f]{12})-([0-9a-f]{12})-([0-9a-f]{12})\.seg$/;
