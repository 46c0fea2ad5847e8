import { crc32 } from 'node:zlib';
import { allOf, emptyPieces, type Pieces, putBytes, putText } from './pieces.ts';

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
  readonly at: number;
};

/** One student's part of a record: its values are those from `first` on, and lie in the file from `at` on. */
export type WrittenStudent = {
  readonly student: string;
  readonly del: readonly string[];
  readonly first: number;
  readonly count: number;
  readonly at: number;
};

/**
 * In the file: prefix, values, index. The prefix is written last: u32 length of the index, u32 its checksum with that of
 * the rest of the prefix, u64 bytes of all values. The index is JSON: the head, and per value its field, length, crc.
 */
export type Index = Head & {
  readonly w: readonly (readonly [
    student: string,
    set: readonly (readonly [field: string, bytes: number, crc: number])[],
    del: readonly string[],
  ])[];
};

export const PREFIX_BYTES = 16;
const LENGTHS_AT = 8;

/** A record in the making. */
export type StateRecord = {
  add(one: Writes): void;
  /** Bytes of values that are complete, to be written one behind the other from the end of the prefix on. */
  take(): readonly Buffer[];
  /** The rest of the bytes, the prefix, and what the record holds. */
  finish(): { readonly rest: readonly Buffer[]; readonly prefix: Buffer; readonly written: Written };
};

/** The record that goes to `at` in the file. `spare`: see `Pieces`. */
export function startRecord(head: Head, at: number, spare: Buffer[]): StateRecord {
  const index = emptyPieces(spare);
  const values = emptyPieces(spare);
  const written = emptyWritten(at + PREFIX_BYTES);
  putText(index, `${JSON.stringify(head).slice(0, -1)},"w":[`);
  return {
    add: (one) => addStudent(index, values, written, one),
    take: () => values.whole.splice(0),
    finish() {
      putText(index, ']}');
      const pieces = allOf(index);
      const prefix = Buffer.alloc(PREFIX_BYTES);
      prefix.writeUInt32LE(index.bytes, 0);
      prefix.writeBigUInt64LE(BigInt(values.bytes), LENGTHS_AT);
      prefix.writeUInt32LE(checksumOf(prefix, pieces), 4);
      return { rest: [...allOf(values), ...pieces], prefix, written };
    },
  };
}

/** Null where it cannot be one: a power cut may leave zeros, and of nothing the checksum is zero. */
export function lengthsIn(prefix: Buffer): { readonly index: number; readonly values: number } | null {
  const index = prefix.length < PREFIX_BYTES ? 0 : prefix.readUInt32LE(0);
  return index === 0 ? null : { index, values: Number(prefix.readBigUInt64LE(LENGTHS_AT)) };
}

export function isIndexOf(prefix: Buffer, index: Buffer): boolean {
  return checksumOf(prefix, [index]) === prefix.readUInt32LE(4);
}

function checksumOf(prefix: Buffer, index: readonly Buffer[]): number {
  return index.reduce((crc, piece) => crc32(piece, crc), crc32(prefix.subarray(LENGTHS_AT)));
}

function emptyWritten(at: number): Written {
  return { students: [], counts: [], dels: [], fields: [], sizes: [], at };
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
  const written = emptyWritten(at);
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

/** Hears the place of each of one student's values; a place for each would be made to be thrown away. */
export function forEachPlace(
  { fields, sizes }: Written,
  { first, count, at }: WrittenStudent,
  hear: (field: string, at: number, bytes: number, crc: number) => void,
): void {
  let from = at;
  for (let k = first; k < first + count; k++) {
    const bytes = sizes[2 * k] ?? 0;
    hear(fields[k] ?? '', from, bytes, (sizes[2 * k + 1] ?? 0) | 0);
    from += bytes;
  }
}
