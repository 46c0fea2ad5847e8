import { crc32 } from 'node:zlib';
import { inSlices } from '#server/in-slices.ts';
import { allOf, emptyPieces, type Pieces, putBytes, putText } from './pieces.ts';

/** Where a value is in the file, and its checksum. */
export type Place = { at: number; bytes: number; crc: number };

/** `part`: of a snapshot · `whole`: ends the snapshot · `flush`: one flush, or one claim. */
export type Head =
  | { readonly kind: 'part' }
  | {
      readonly kind: 'whole' | 'flush';
      readonly archive: string;
      readonly fence: number;
      readonly checkpoint: number;
    };

/** Values of one student: texts, or the bytes of texts as another record holds them. */
export type Writes = {
  readonly student: string;
  readonly set: readonly (readonly [field: string, value: string | Buffer])[];
  readonly del: readonly string[];
};

/**
 * What a record holds, in columns: the flush of a school lives until the disk has it, and with an object for each of its
 * values most of what the collector copies would be these. Values lie one behind the other, from `at` on.
 */
export type Written = {
  readonly students: string[];
  /** How many of the values are each student's. */
  readonly counts: number[];
  readonly dels: (readonly string[])[];
  readonly fields: string[];
  /** Bytes and checksum of each value, in turn. */
  readonly sizes: number[];
  at: number;
};

/** One student's part of a record: its values are those from `first` on, and lie in the file from `at` on. */
export type WrittenStudent = {
  readonly student: string;
  readonly del: readonly string[];
  readonly first: number;
  readonly count: number;
  readonly at: number;
};

export type StateRecord = {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  readonly written: Written;
};

/** In the file: u32 length of index, u32 crc of index, index (JSON: the head, and per value its field, length, crc), values. */
export type Index = Head & {
  readonly w: readonly (readonly [
    student: string,
    set: readonly (readonly [field: string, bytes: number, crc: number])[],
    del: readonly string[],
  ])[];
};

export const PREFIX_BYTES = 8;

/**
 * The record that goes to `at` in the file. A large one is made in slices, so that sockets and timers have their turn; what
 * it holds cannot change meanwhile.
 */
export async function recordOf(head: Head, writes: Iterable<Writes>, at: number): Promise<StateRecord> {
  const index = emptyPieces();
  const values = emptyPieces();
  const written = emptyWritten();
  putText(index, `${JSON.stringify(head).slice(0, -1)},"w":[`);
  await inSlices(writes, (one) => addStudent(index, values, written, one));
  putText(index, ']}');
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(index.bytes, 0);
  prefix.writeUInt32LE(
    allOf(index).reduce((crc, piece) => crc32(piece, crc), 0),
    4,
  );
  written.at = at + PREFIX_BYTES + index.bytes;
  return {
    pieces: [prefix, ...allOf(index), ...allOf(values)],
    bytes: PREFIX_BYTES + index.bytes + values.bytes,
    written,
  };
}

function emptyWritten(): Written {
  return { students: [], counts: [], dels: [], fields: [], sizes: [], at: 0 };
}

function addStudent(index: Pieces, values: Pieces, written: Written, { student, set, del }: Writes): void {
  putText(index, `${written.students.length > 0 ? ',' : ''}[${JSON.stringify(student)},[`);
  let comma = '';
  for (const [field, value] of set) {
    const put = typeof value === 'string' ? putText(values, value) : putBytes(values, value);
    const crc = crc32(put);
    written.fields.push(field);
    written.sizes.push(put.length, crc);
    putText(index, `${comma}[${JSON.stringify(field)},${put.length},${crc}]`);
    comma = ',';
  }
  putText(index, `],${JSON.stringify(del)}]`);
  written.students.push(student);
  written.counts.push(set.length);
  written.dels.push(del);
}

/** The same of an index that was read, whose values begin at `at`. */
export function writtenOf({ w }: Index, at: number): Written {
  const written = emptyWritten();
  written.at = at;
  for (const [student, set, del] of w) {
    written.students.push(student);
    written.counts.push(set.length);
    written.dels.push(del);
    for (const [field, bytes, crc] of set) {
      written.fields.push(field);
      written.sizes.push(bytes, crc);
    }
  }
  return written;
}

export function* studentsOf({ students, counts, dels, sizes, at }: Written): Iterable<WrittenStudent> {
  let first = 0;
  let from = at;
  for (let i = 0; i < students.length; i++) {
    const count = counts[i] ?? 0;
    yield { student: students[i] ?? '', del: dels[i] ?? [], first, count, at: from };
    for (let k = first; k < first + count; k++) from += sizes[2 * k] ?? 0;
    first += count;
  }
}

/** The places of one student's values, field by field. */
export function* placesOf(
  { fields, sizes }: Written,
  { first, count, at }: WrittenStudent,
): Iterable<readonly [field: string, place: Place]> {
  let from = at;
  for (let k = first; k < first + count; k++) {
    const bytes = sizes[2 * k] ?? 0;
    yield [fields[k] ?? '', { at: from, bytes, crc: sizes[2 * k + 1] ?? 0 }];
    from += bytes;
  }
}
