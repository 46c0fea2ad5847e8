import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import type { Commit } from '#server/archive/commits.ts';
import { ArchiveCorruptError } from '#server/archive/corrupt.ts';
import type { Draft, Entry } from '#server/archive/entry.ts';
import {
  draftText,
  ENTRY_FRAME_BYTES,
  forEachEntry,
  offsetOf,
  parseEntry,
  writeEntry,
} from '#server/archive/entry-text.ts';
import { completeGroup, GROUP_FRAME_BYTES, GROUP_HEADER_BYTES, groupAt } from '#server/archive/group.ts';
import { bytesInMemory } from '#server/archive/open-bytes.ts';
import { decodeProducers } from '#server/archive/producers-table.ts';
import { rebuildSealed } from '#server/archive/rebuild-sealed.ts';
import { scanOpen } from '#server/archive/scan-open.ts';
import { type Sealed, sealParts, wholeOf } from '#server/archive/seal-parts.ts';
import {
  checkSealed,
  loadSealed,
  parseSealed,
  readProducersTable,
  readStreams,
} from '#server/archive/sealed-segment.ts';
import { encodeHeader, HEADER_BYTES } from '#server/archive/segment-header.ts';
import { createSimulatedDisk } from '#server/archive/simulated-file-system.ts';
import { changed, changes } from './bytes.ts';
import type { Property } from './property.ts';

const ARCHIVE = 'ab'.repeat(16);
const AT = 1_800_000_000_000;

const draft: fc.Arbitrary<Draft> = fc
  .record({
    k: fc.constant('batch' as const),
    t: fc.integer({ min: AT, max: AT + 1000 }),
    s: fc.constantFrom('ada', 'bob', 'zoë', 'a:b/c'),
    p: fc.constantFrom('producer-of-sixteen', 'another-of-sixteen', '~passing'),
    e: fc.integer({ min: 1, max: 3 }),
    f: fc.integer({ min: 1, max: 2000 }),
    src: fc.string(),
    ev: fc.array(
      fc.record({
        event: fc.string(),
        body: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map((one) => JSON.parse(JSON.stringify(one)) as Draft);
const groups = fc.array(fc.array(draft, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });

/** An open segment's bytes and the entries in it. */
function openSegment(all: readonly (readonly Draft[])[], first: number): { bytes: Buffer; entries: Entry[] } {
  const header = { archive: ARCHIVE, first, fence: 0, createdAt: AT, last: 0, entries: 0, events: 0 };
  const parts = [encodeHeader({ magic: 'LOA1', partition: 0, ...header })];
  const entries: Entry[] = [];
  for (const drafts of all) {
    const texts = drafts.map(draftText);
    const room = texts.reduce(
      (sum, text) => sum + Buffer.byteLength(text) + ENTRY_FRAME_BYTES,
      GROUP_FRAME_BYTES,
    );
    const bytes = Buffer.alloc(room);
    const offset = first + entries.length;
    let end = GROUP_HEADER_BYTES;
    texts.forEach((text, i) => {
      end = writeEntry(bytes, end, offset + i, text);
    });
    const length = completeGroup(bytes, end, { entries: drafts.length, first: offset, fence: 0, at: AT });
    parts.push(bytes.subarray(0, length));
    entries.push(...drafts.map((one, i) => ({ o: offset + i, ...one })));
  }
  return { bytes: Buffer.concat(parts), entries };
}

/** Nothing but `ArchiveCorruptError` may be thrown by what reads a damaged file. */
async function unlessCorrupt<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ArchiveCorruptError) return undefined;
    throw error;
  }
}

function entriesOf(bytes: Buffer, length: number): Entry[] {
  const entries: Entry[] = [];
  for (let at = HEADER_BYTES; at < length; ) {
    const group = groupAt(bytes, at);
    if (!group) throw new Error(`no group at ${at}, though it was found whole`);
    forEachEntry(bytes, group.entriesStart, group.entriesEnd, (start, end) => {
      entries.push(parseEntry(bytes, start, end));
    });
    at = group.end;
  }
  return entries;
}

const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER - 100 });

const entry: Property = {
  name: 'an entry comes back as it was written, with its offset',
  of: () =>
    fc.property(fc.array(draft, { maxLength: 5 }), offset, (drafts, first) => {
      const texts = drafts.map(draftText);
      const bytes = Buffer.alloc(
        texts.reduce((sum, text) => sum + Buffer.byteLength(text) + ENTRY_FRAME_BYTES, 0),
      );
      let end = 0;
      texts.forEach((text, i) => {
        end = writeEntry(bytes, end, first + i, text);
      });
      const read: Entry[] = [];
      const count = forEachEntry(bytes, 0, end, (from, to) => {
        const one = parseEntry(bytes, from, to);
        equal(offsetOf(bytes, from), one.o);
        read.push(one);
      });
      equal(count, drafts.length);
      deepEqual(
        read,
        drafts.map((one, i) => ({ o: first + i, ...one })),
      );
    }),
};

const anyBytes: Property = {
  name: 'no bytes make the reader of entries do anything but say that they are damaged',
  of: () =>
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat(20), async (bytes, small) => {
      const buffer = Buffer.from(bytes);
      // Small lengths, so that some of it looks like entries.
      for (let at = 0; at + 4 <= buffer.length; at += 4 + small) buffer.writeUInt32LE(small, at);
      await unlessCorrupt(() =>
        forEachEntry(buffer, 0, buffer.length, (from, to) => ok(from <= to && to <= buffer.length)),
      );
    }),
};

const open: Property = {
  name: 'a changed open segment gives a beginning of its entries, or is refused',
  of: () =>
    fc.asyncProperty(groups, changes, fc.boolean(), offset, async (all, some, isLast, first) => {
      const { bytes, entries } = openSegment(all, first);
      deepEqual(entriesOf(bytes, scanOpen('whole', bytes, isLast)?.length ?? 0), entries);
      const damaged = changed(bytes, some);
      const scanned = await unlessCorrupt(() => scanOpen('damaged', damaged, isLast));
      if (!scanned) return;
      const read = entriesOf(damaged, scanned.length);
      deepEqual(read, entries.slice(0, read.length));
      if (!isLast) equal(scanned.length, damaged.length);
    }),
};

const sealed: Property = {
  name: 'a changed sealed segment gives its entries, is made anew as it was, or is refused',
  of: () =>
    fc.asyncProperty(groups, changes, fc.nat(1_000_000), async (all, some, first) => {
      const { bytes: opened, entries } = openSegment(all, first);
      const job = { streams: new Map(), createdAt: AT, keepProducersFrom: 0 };
      const parts = sealParts(job, bytesInMemory(opened), Buffer.alloc(0));
      const { bytes: whole, made } = wholeOf(parts);
      const damaged = changed(whole, some);
      const disk = createSimulatedDisk();
      await disk.fileSystem.makeDirectory('/archive');
      const file = await disk.fileSystem.open('/archive/one.seg', 'create');
      await file.write(damaged, 0);
      const { last } = made;
      const segment = { path: '/archive/one.seg', file: 'one.seg', first, last, bytes: whole.length };
      const loaded = await unlessCorrupt(() => loadSealed(disk.fileSystem, segment));
      if (loaded) deepEqual([...parseSealed(loaded, first, last + 1)].flat(), entries);
      await unlessCorrupt(() => checkSealed(disk.fileSystem, segment, ARCHIVE));
      const table = await unlessCorrupt(() => readProducersTable(disk.fileSystem, segment));
      if (table) decodeProducers(table);
      for (const [name, stream] of made.newStreams) {
        const read = await unlessCorrupt(() => readStreams(disk.fileSystem, segment, [stream]));
        // An index that lost a stream would have a checksum that says so.
        if (read)
          deepEqual(
            read,
            entries.filter((one) => `student:${one.s}` === name),
          );
      }
      const rebuilt = rebuildSealed({
        file: damaged,
        commit: commitOf(made),
        before: Buffer.alloc(0),
        keepProducersFrom: 0,
      });
      if (rebuilt) deepEqual(Buffer.from(rebuilt), whole);
    }),
};

function commitOf(made: Sealed): Commit {
  const { first: from, last: to, fence, entries, events, blocks: streams, sha256, bytes } = made;
  return {
    format: 1,
    archive: ARCHIVE,
    partition: 0,
    number: 1,
    parent: null,
    segment: { file: 'one.seg', sha256, bytes },
    ...{ from, to, entries, events, streams, fence },
    heads: null,
    tombstones: [],
    at: AT,
    software: 'property',
  };
}

export const ARCHIVE_READERS: readonly Property[] = [entry, anyBytes, open, sealed];
