import { ArchiveCorruptError, unknownFormat } from './corrupt.ts';
import { type Group, groupAt, MAX_GROUP_BYTES } from './group.ts';
import { decodeHeader, HEADER_BYTES, laterFormatOf, type SegmentHeader } from './segment-header.ts';

/** What of an open segment is whole: `length` bytes with entries up to before offset `end`. */
export type Scanned = {
  readonly header: SegmentHeader;
  readonly length: number;
  readonly end: number;
};

/**
 * Walks the groups of an open segment (delivery.md §5, start, 3). Undefined: a last file that was only being made.
 *
 * A torn tail is left out: damage with nothing whole behind it, in at most one group's length, at the end of the last
 * file. Any other damage throws `ArchiveCorruptError`.
 */
export function scanOpen(name: string, bytes: Buffer, isLast: boolean): Scanned | undefined {
  const header = decodeHeader(bytes);
  const later = laterFormatOf(bytes);
  if (later !== undefined) throw unknownFormat(name, later);
  if (header?.magic !== 'LOA1') {
    if (isLast && bytes.length <= HEADER_BYTES) return undefined;
    throw new ArchiveCorruptError(`${name}, byte 0`, 'the header is damaged');
  }
  let at = HEADER_BYTES;
  let end = header.first;
  for (let group = followerAt(bytes, at, header, end); group; group = followerAt(bytes, at, header, end)) {
    at = group.end;
    end += group.entries;
  }
  if (at < bytes.length) {
    const isTorn = isLast && bytes.length - at <= MAX_GROUP_BYTES && !hasGroupAfter(bytes, at, header);
    if (!isTorn) throw new ArchiveCorruptError(`${name}, byte ${at}`, 'a group is damaged');
  }
  return { header, length: at, end };
}

function followerAt(bytes: Buffer, at: number, header: SegmentHeader, first: number): Group | undefined {
  const group = groupAt(bytes, at);
  return group && group.first === first && group.fence === header.fence ? group : undefined;
}

/** Is there a whole group anywhere behind the damage? Then it was no tear: something in the middle has changed. */
function hasGroupAfter(bytes: Buffer, from: number, header: SegmentHeader): boolean {
  for (let at = from; at < bytes.length; at += 1) {
    const group = groupAt(bytes, at);
    if (group && group.entries > 0 && group.fence === header.fence) return true;
  }
  return false;
}
