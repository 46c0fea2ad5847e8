import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ArchiveCorruptError } from './corrupt.ts';
import type { Entry } from './entry.ts';
import { forEachEntry, parseEntry } from './entry-text.ts';
import {
  type BlockRow,
  decodeFooter,
  FOOTER_BYTES,
  findIndexRow,
  indexRows,
  isOrdered,
  isWhole,
  openBlock,
} from './sealed-format.ts';
import type { SealedSegment } from './sealed-segment.ts';
import { inflated } from './unpack.ts';

/** What a thread needs to read the events of students in the sealed segments by itself; plain values. */
export type SealedPicture = {
  /** In offset order, without a gap from offset 0 on. */
  readonly segments: readonly SealedSegment[];
  readonly students: readonly { readonly id: string; readonly stream: string }[];
};

/**
 * Reads one student after the other, without the loop: for a thread that does nothing else. Hands over a student's
 * entries one by one, in offset order. Throws `ArchiveCorruptError` where a segment is not what was sealed.
 */
export function openByStudent(
  segments: readonly SealedSegment[],
): (stream: string, each: (entry: Entry) => void) => void {
  const indexed = segments.map((segment) => ({ segment, index: readIndex(segment) }));
  return (stream, each) => {
    for (const { segment, index } of indexed) {
      const row = findIndexRow(index, stream);
      if (row) parseBlock(segment, row, each);
    }
  };
}

function readIndex(segment: SealedSegment): Buffer {
  const file = openSync(segment.path, 'r');
  try {
    if (fstatSync(file).size !== segment.bytes) throw damaged(segment, 'length');
    const footer = decodeFooter(readRange(file, segment.bytes - FOOTER_BYTES, FOOTER_BYTES));
    if (!footer || !isOrdered(footer, segment.bytes)) throw damaged(segment, 'footer');
    const index = readRange(file, footer.indexAt, footer.tableAt - footer.indexAt);
    if (!isWhole(index, footer.indexCrc)) throw damaged(segment, 'index');
    const entries = indexRows(index).reduce((sum, row) => sum + row.entries, 0);
    if (entries !== segment.last - segment.first + 1) throw damaged(segment, 'set of offsets');
    return index;
  } finally {
    closeSync(file);
  }
}

function readRange(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, bytes, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

function damaged(segment: SealedSegment, what: string): ArchiveCorruptError {
  return new ArchiveCorruptError(segment.file, `its ${what} is damaged`);
}

/** Opened for each block: segments may be more than the files that a process may hold. */
function readBlock(segment: SealedSegment, row: BlockRow): Buffer {
  const file = openSync(segment.path, 'r');
  try {
    const compressed = openBlock(readRange(file, row.position, row.length), row);
    const raw = compressed && inflated(compressed);
    if (!raw) throw damaged(segment, `block at byte ${row.position}`);
    return raw;
  } finally {
    closeSync(file);
  }
}

/** Each entry is handed over as soon as it is parsed: what is forgotten at once costs the collector nothing. */
function parseBlock(segment: SealedSegment, row: BlockRow, each: (entry: Entry) => void): void {
  const raw = readBlock(segment, row);
  let last = row.first - 1;
  const found = forEachEntry(raw, 0, raw.length, (start, end) => {
    const entry = parseEntry(raw, start, end);
    if (entry.o <= last || entry.o > row.last) throw damaged(segment, `block at byte ${row.position}`);
    last = entry.o;
    each(entry);
  });
  if (found !== row.entries) throw damaged(segment, `block at byte ${row.position}`);
}
