import { crc32 } from 'node:zlib';
import { readU64, writeU64 } from './segment-header.ts';

export const GROUP_HEADER_BYTES = 88;
/** No single append, so no group, is larger: 32 MiB of one entry and what frames it. */
export const MAX_GROUP_BYTES = 33 * 1024 * 1024;
export const MAX_ENTRY_BYTES = 32 * 1024 * 1024;

const AT = { crc: 4, suite: 8, flags: 9, entries: 10, first: 12, fence: 20, at: 28 };
/** Room for the tag of an encrypted group; zeros under suite 0. */
const TAG_BYTES = 16;

/** A group's place in an open segment's bytes, and what its header says. */
export type Group = {
  readonly start: number;
  readonly end: number;
  readonly entriesStart: number;
  readonly entriesEnd: number;
  readonly entries: number;
  readonly first: number;
  readonly fence: number;
};

/**
 * Completes a group in place: `bytes` begins with `GROUP_HEADER_BYTES` of room, then the entries up to `length`, then at
 * least 16 bytes for the tag. Gives the length of the whole group. Nonce and hash stay zero under suite 0.
 */
export function completeGroup(
  bytes: Buffer,
  length: number,
  group: { readonly entries: number; readonly first: number; readonly fence: number; readonly at: number },
): number {
  const total = length + TAG_BYTES;
  bytes.fill(0, 0, GROUP_HEADER_BYTES);
  bytes.fill(0, length, total);
  bytes.writeUInt32LE(total, 0);
  bytes.writeUInt16LE(group.entries, AT.entries);
  writeU64(bytes, group.first, AT.first);
  writeU64(bytes, group.fence, AT.fence);
  writeU64(bytes, group.at, AT.at);
  bytes.writeUInt32LE(crc32(bytes.subarray(AT.suite, total)), AT.crc);
  return total;
}

/** The whole and intact group at `start`, or undefined. */
export function groupAt(bytes: Buffer, start: number): Group | undefined {
  if (start + GROUP_HEADER_BYTES + TAG_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32LE(start);
  const end = start + length;
  if (length < GROUP_HEADER_BYTES + TAG_BYTES || length > MAX_GROUP_BYTES || end > bytes.length)
    return undefined;
  if (bytes[start + AT.suite] !== 0 || bytes[start + AT.flags] !== 0) return undefined;
  if (crc32(bytes.subarray(start + AT.suite, end)) !== bytes.readUInt32LE(start + AT.crc)) return undefined;
  return {
    start,
    end,
    entriesStart: start + GROUP_HEADER_BYTES,
    entriesEnd: end - TAG_BYTES,
    entries: bytes.readUInt16LE(start + AT.entries),
    first: readU64(bytes, start + AT.first),
    fence: readU64(bytes, start + AT.fence),
  };
}

/** Room that a group needs beside its entries. */
export const GROUP_FRAME_BYTES = GROUP_HEADER_BYTES + TAG_BYTES;
export const GROUP_TAG_BYTES = TAG_BYTES;
