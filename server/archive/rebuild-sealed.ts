import type { Commit } from './commits.ts';
import type { Entry } from './entry.ts';
import { parseEntry } from './entry-text.ts';
import { decodeProducers, encodeProducers, foldProducer } from './producers-table.ts';
import { segmentParts, streamName, wholeOf } from './seal-parts.ts';
import { type BlockRow, blockRowAt, encodeIndexRow } from './sealed-format.ts';
import { encodeHeader, HEADER_BYTES } from './segment-header.ts';
import { type Unpacked, unpack } from './unpack.ts';

export type Rebuilding = {
  /** The damaged segment. */
  readonly file: Buffer;
  readonly commit: Commit;
  /** The producers table of the segment before; empty for the first. */
  readonly before: Buffer;
  /** As in the sealing: rows of the producers table silent since before this are dropped. */
  readonly keepProducersFrom: number;
};

/**
 * A sealed segment's bytes from its blocks and its commit alone: header, index, producers table and footer are derived from
 * them. Undefined where the blocks too are damaged: the commit's SHA-256 says what all of it has to be.
 */
export function rebuildSealed({ file, commit, before, keepProducersFrom }: Rebuilding): Buffer | undefined {
  const { from: first, to: last } = commit;
  const found = findBlocks(file, commit);
  if (!found) return undefined;
  const packedIndex = new Uint8Array(Buffer.concat(found.map(encodeIndexRow)));
  const unpacked = unpack({ blocks: new Uint8Array(file), index: packedIndex, first, last });
  if ('damaged' in unpacked) return undefined;
  const entryAt = readerOf(unpacked, first);
  const rows = found.map((row) => ({
    ...row,
    firstAt: entryAt(row.first).t,
    lastAt: entryAt(row.last).t,
  }));
  const ids = new Map(rows.map((row) => [streamName(entryAt(row.first)), row.stream]));
  const table = decodeProducers(before);
  for (let offset = first; offset <= last; offset += 1) {
    const entry = entryAt(offset);
    foldProducer(table, entry, entry.ev?.length ?? 0, ids.get(streamName(entry)) ?? '');
  }
  const blocks = rows.map((row) => ({ row, bytes: file.subarray(row.position, row.position + row.length) }));
  const { bytes, made } = wholeOf(
    segmentParts(headerOf(commit), blocks, encodeProducers(table, keepProducersFrom)),
  );
  return made.sha256 === commit.segment.sha256 ? bytes : undefined;
}

/** Blocks stand one behind the other, each says its length, and together they hold all entries. */
function findBlocks(file: Buffer, { entries, from, to }: Commit): BlockRow[] | undefined {
  const rows: BlockRow[] = [];
  let position = HEADER_BYTES;
  for (let count = 0; count < entries; ) {
    const row = blockRowAt(file, position);
    if (!row || row.first < from || row.last < row.first || row.last > to) return undefined;
    rows.push(row);
    count += row.entries;
    position += row.length;
  }
  return rows;
}

function readerOf({ raw, at }: Unpacked, first: number): (offset: number) => Entry {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  return (offset) => {
    const start = at[offset - first] ?? 0;
    return parseEntry(bytes, start, start + bytes.readUInt32LE(start - 4));
  };
}

function headerOf({ archive, partition, from, to, fence, at, entries, events }: Commit): Buffer {
  const counts = { first: from, last: to, fence, entries, events };
  return encodeHeader({ magic: 'LOS1', partition, archive, createdAt: at, ...counts });
}
