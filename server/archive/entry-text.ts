import { ArchiveCorruptError } from './corrupt.ts';
import type { Draft, Entry } from './entry.ts';

const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
/** Length, `{"o":` and the digits of the largest offset. */
export const ENTRY_FRAME_BYTES = 4 + 5 + 16;

/** The draft's JSON without an offset; a draft that was appended before brings its old one, which must not stay. */
export function draftText(draft: Draft): string {
  if (!('o' in draft)) return JSON.stringify(draft);
  const { o: _old, ...rest } = draft;
  return JSON.stringify(rest);
}

/** Writes one entry at `at`: u32 length, then the draft's JSON with its offset put in front. Gives the end. */
export function writeEntry(bytes: Buffer, at: number, offset: number, text: string): number {
  const textAt = at + 4 + bytes.write(`{"o":${offset}`, at + 4, 'latin1');
  const end = textAt + bytes.write(text, textAt, 'utf8');
  // The draft's own `{` gives way to the comma after the offset.
  bytes[textAt] = COMMA;
  bytes.writeUInt32LE(end - at - 4, at);
  return end;
}

/** Reads the entry's offset without parsing it: the JSON at `at` begins with `{"o":`. */
export function offsetOf(bytes: Buffer, at: number): number {
  let offset = 0;
  for (let i = at + 5; ; i += 1) {
    const digit = bytes[i] ?? 0;
    if (digit < ZERO || digit > NINE) return offset;
    offset = offset * 10 + (digit - ZERO);
  }
}

/** Parses the JSON between `start` and `end`. It was written by us and guarded by a checksum, hence the type. */
export function parseEntry(bytes: Buffer, start: number, end: number): Entry {
  return JSON.parse(bytes.toString('utf8', start, end)) as Entry;
}

/** An entry without its events, which are only counted. */
export type EntryHead = { readonly entry: Omit<Entry, 'ev'>; readonly events: number };

const KIND = ',"k":"batch",';
/** The kind follows the offset, whose digits are at most so many characters behind the beginning. */
const KIND_BEFORE = 24;
const EVENTS = ',"ev":[';
const HASHES = '],"h":"';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}"}$/;
const HASH_BYTES = 16;

/**
 * The entry's head, for which the bodies of a usual batch need not be parsed: its events stand between its scalar fields and
 * their hashes, one for each, which end it. In a JSON string a quote is escaped, so that no body can look like that.
 */
export function readHead(bytes: Buffer, start: number, end: number): EntryHead {
  const text = bytes.toString('latin1', start, end);
  const kindAt = text.indexOf(KIND);
  const eventsAt = text.indexOf(EVENTS);
  const hashesAt = text.lastIndexOf(HASHES);
  const tail = text.slice(hashesAt + HASHES.length);
  const events = Buffer.byteLength(tail.slice(0, -2), 'base64') / HASH_BYTES;
  const isUsual = kindAt > 0 && kindAt < KIND_BEFORE && eventsAt > 0 && hashesAt > eventsAt;
  if (!isUsual || !BASE64.test(tail) || !Number.isInteger(events)) {
    const { ev, ...entry } = parseEntry(bytes, start, end);
    return { entry, events: ev?.length ?? 0 };
  }
  const head = JSON.parse(`${bytes.toString('utf8', start, start + eventsAt)}}`) as Omit<Entry, 'ev'>;
  return { entry: { ...head, h: tail.slice(0, -2) }, events };
}

/** Calls `each` with start and end of every entry's JSON between two places. Throws where lengths do not add up. */
export function forEachEntry(
  bytes: Buffer,
  from: number,
  to: number,
  each: (start: number, end: number) => void,
): number {
  let count = 0;
  let at = from;
  while (at < to) {
    const start = at + 4;
    const end = start <= to ? start + bytes.readUInt32LE(at) : to + 1;
    if (end > to) throw new ArchiveCorruptError(`entry at byte ${at}`, 'its length passes the end');
    each(start, end);
    count += 1;
    at = end;
  }
  return count;
}
