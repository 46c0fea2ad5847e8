import { setImmediate as turn } from 'node:timers/promises';
import { ArchiveCorruptError } from './corrupt.ts';
import type { Entry } from './entry.ts';
import { forEachEntry, offsetOf, parseEntry } from './entry-text.ts';
import { codeOf, type FileSystem, readWhole } from './file-system.ts';
import { groupAt } from './group.ts';
import { type Loaded, loadSealed, parseSealed, readStreams, type SealedSegment } from './sealed-segment.ts';
import { HEADER_BYTES } from './segment-header.ts';
import { SLICE_ENTRIES } from './slices.ts';
import type { ReadableOpen, Segments } from './store.ts';
import type { Streams } from './streams.ts';

type Source = { readonly fileSystem: FileSystem; readonly segments: Segments; readonly streams: Streams };

function sealedAt(segments: Segments, offset: number): SealedSegment | undefined {
  return segments.sealed.findLast((segment) => segment.first <= offset && offset <= segment.last);
}

function openAt(segments: Segments, offset: number): ReadableOpen | undefined {
  return segments.open.find((segment) => segment.first <= offset && offset < segment.end);
}

/** Entries `from ≤ o < to` in offset order. The next sealed segment is decompressed while this one is parsed. */
export async function* readEntries(
  source: Source,
  from: number,
  to: number,
): AsyncGenerator<readonly Entry[]> {
  let ahead: { readonly segment: SealedSegment; readonly loaded: Promise<Loaded> } | undefined;
  const load = (segment: SealedSegment) => {
    const loaded = loadSealed(source.fileSystem, segment);
    // A reader that stops early leaves it unheard; one that goes on awaits it and hears its error.
    loaded.catch(() => {});
    return { segment, loaded };
  };
  for (let at = from; at < to; ) {
    const segment = sealedAt(source.segments, at);
    if (segment) {
      const current = ahead?.segment === segment ? ahead : load(segment);
      const loaded = await current.loaded;
      const following = segment.last + 1 < to ? sealedAt(source.segments, segment.last + 1) : undefined;
      ahead = following && load(following);
      for (const slice of parseSealed(loaded, at, to)) {
        yield slice;
        await turn();
      }
      at = segment.last + 1;
      continue;
    }
    const open = openAt(source.segments, at);
    if (!open) throw new ArchiveCorruptError(`offset ${at}`, 'no segment holds it');
    const { end } = open;
    const bytes = await readOpen(source, open);
    if (!bytes) continue;
    for (const slice of parseOpen(bytes, at, Math.min(to, end))) {
      yield slice;
      await turn();
    }
    at = end;
  }
}

/** A student's entries with `o < to`, in offset order: one or two blocks of each sealed segment, then the open ones. */
export async function* readStudentEntries(
  source: Source,
  student: string,
  to: number,
): AsyncGenerator<readonly Entry[]> {
  const ids = () =>
    [`student:${student}`, `bad:${student}`]
      .map((name) => source.streams.ids.get(name))
      .filter((id) => id !== undefined);
  for (let at = 0; at < to; ) {
    const sealed = sealedAt(source.segments, at);
    const open = sealed ? undefined : openAt(source.segments, at);
    let entries: Entry[] = [];
    if (sealed) {
      at = sealed.last + 1;
      entries = await readStreams(source.fileSystem, sealed, ids());
    } else if (open) {
      const { end } = open;
      const bytes = await readOpen(source, open);
      if (!bytes) continue;
      at = end;
      entries = findInOpen(bytes, student);
    } else throw new ArchiveCorruptError(`offset ${at}`, 'no segment holds it');
    const wanted = entries.filter((entry) => entry.o < to);
    for (let i = 0; i < wanted.length; i += SLICE_ENTRIES) yield wanted.slice(i, i + SLICE_ENTRIES);
  }
}

/** An open segment's durable bytes; undefined when it has been sealed since it was looked up. */
async function readOpen(source: Source, open: ReadableOpen): Promise<Buffer | undefined> {
  try {
    return await readWhole(source.fileSystem, open.path, open.bytes);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !source.segments.open.includes(open)) return undefined;
    throw error;
  }
}

function* parseOpen(bytes: Buffer, from: number, to: number): Generator<Entry[]> {
  let slice: Entry[] = [];
  for (const group of groupsOf(bytes)) {
    if (group.first + group.entries <= from) continue;
    if (group.first >= to) break;
    forEachEntry(bytes, group.entriesStart, group.entriesEnd, (start, end) => {
      const offset = offsetOf(bytes, start);
      if (offset >= from && offset < to) slice.push(parseEntry(bytes, start, end));
    });
    for (; slice.length >= SLICE_ENTRIES; slice = slice.slice(SLICE_ENTRIES))
      yield slice.slice(0, SLICE_ENTRIES);
  }
  if (slice.length > 0) yield slice;
}

/** Parses only entries whose text holds the student's id: a search of bytes is far cheaper than parsing. */
function findInOpen(bytes: Buffer, student: string): Entry[] {
  const needle = Buffer.from(`"s":${JSON.stringify(student)}`);
  const entries: Entry[] = [];
  for (const group of groupsOf(bytes)) {
    let next = bytes.indexOf(needle, group.entriesStart);
    if (next === -1) break;
    if (next >= group.entriesEnd) continue;
    forEachEntry(bytes, group.entriesStart, group.entriesEnd, (start, end) => {
      if (next !== -1 && next < start) next = bytes.indexOf(needle, start);
      if (next === -1 || next >= end) return;
      const entry = parseEntry(bytes, start, end);
      if (entry.s === student) entries.push(entry);
    });
  }
  return entries;
}

function* groupsOf(bytes: Buffer) {
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const group = groupAt(bytes, at);
    if (!group) throw new ArchiveCorruptError(`open segment, byte ${at}`, 'a group is damaged');
    yield group;
    at = group.end;
  }
}
