import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT_CORRUPT } from '#server/archive/corrupt.ts';
import { FORMAT } from '#server/archive/segment-header.ts';
import { filesOnDisk, readArchive } from '../archive-reader.ts';
import { foldEntries } from '../fold.ts';
import { type Files, type Found, inOrder, openAndFold, readFiles, unpack, writeFiles } from './golden.ts';

const names = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.golden'));
const FORMATS = names.map((name) => Number(/^format-(\d+)\.golden$/.exec(name)?.[1])).sort((a, b) => a - b);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'golden-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Expected = Omit<Found, 'mended'>;

async function golden(
  format: number,
): Promise<{ readonly archive: Map<string, Buffer>; readonly expected: Expected }> {
  const files = unpack(await readFile(join(import.meta.dirname, `format-${format}.golden`), 'utf8'));
  const expected = JSON.parse(String(files.get('expected.json'))) as Expected;
  const archive = [...files].filter(([path]) => path.startsWith('archive/'));
  return {
    archive: new Map(archive.map(([path, bytes]) => [path.slice('archive/'.length), bytes])),
    expected,
  };
}

test('the format that this version writes has its golden archive, and so has every one before it', () => {
  expect(FORMATS).toEqual(Array.from({ length: FORMAT }, (_, i) => i + 1));
});

describe.each(FORMATS)('the golden archive of format %i', (format) => {
  test('has sealed segments and an open one, with bad rows and declined events in them', async () => {
    const { archive, expected } = await golden(format);
    const endings = [...archive.keys()].map((path) => path.slice(path.lastIndexOf('.')));
    expect(endings.toSorted(inOrder)).toEqual(['.json', '.json', '.json', '.log', '.open', '.seg', '.seg']);
    const kinds = new Set(expected.entries.map((entry) => (entry.declined ? 'declined' : entry.k)));
    expect([...kinds].toSorted(inOrder)).toEqual(['bad', 'batch', 'declined', 'mark']);
  });

  test('is read and folded as on the day it was made, without a migration', async () => {
    const { archive, expected } = await golden(format);
    await writeFiles(folder, archive);
    const { mended, ...found } = await openAndFold(folder);
    expect(mended).toEqual([]);
    expect(found).toEqual(expected);
    expect(JSON.stringify(found.states)).toBe(JSON.stringify(expected.states));
    // Sealed segments, commits and ids are as they were: a start only adds to them.
    const after = await readFiles(folder);
    for (const [path, bytes] of archive) {
      if (path.endsWith('.open')) expect(after.has(path)).toBe(false);
      else if (path.endsWith('.log')) expect(after.get(path)?.subarray(0, bytes.length)).toEqual(bytes);
      else expect(after.get(path), path).toEqual(bytes);
    }
    // What today's version made of its open segment is what the layout says, and the next start folds the same.
    expect(readArchive(filesOnDisk(folder)).entries.slice(0, expected.entries.length)).toEqual(
      expected.entries,
    );
    expect((await openAndFold(folder)).states).toEqual(expected.states);
  });

  test('is what its layout says, and its states are the fold, by readers that share no code with the server', async () => {
    const { archive, expected } = await golden(format);
    await writeFiles(folder, archive);
    const { entries } = readArchive(filesOnDisk(folder));
    expect(entries).toEqual(expected.entries);
    const states = foldEntries(entries, entries.length - 1);
    expect(states.size).toBeGreaterThan(10);
    for (const [key, { state, position }] of states)
      expect(JSON.parse(expected.states[key] ?? '{}'), key).toMatchObject({ s: state, p: position });
  });
});

describe('an archive of a later version', () => {
  const sealed = (files: Files) =>
    [...files.keys()]
      .filter((path) => path.endsWith('.seg'))
      .sort(inOrder)
      .at(-1) ?? '';
  const open = (files: Files) => [...files.keys()].find((path) => path.endsWith('.open')) ?? '';
  const newest = (files: Files) =>
    [...files.keys()]
      .filter((path) => path.includes('commits/'))
      .sort(inOrder)
      .at(-1) ?? '';
  const edited = (bytes: Buffer | undefined, change: object) =>
    Buffer.from(JSON.stringify({ ...(JSON.parse(String(bytes)) as object), ...change }));

  function laterHeader(bytes: Buffer | undefined): Buffer {
    const later = Buffer.from(bytes ?? '');
    later.writeUInt16LE(FORMAT + 1, 4);
    later.writeUInt32LE(crc32(later.subarray(0, 124)), 124);
    return later;
  }

  /** A commit says what its segment is: one of a later version would be committed as it is. */
  function withSegment(files: Map<string, Buffer>, path: string, bytes: Buffer): Map<string, Buffer> {
    const commit = JSON.parse(String(files.get(newest(files)))) as { segment: object };
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    files.set(newest(files), edited(files.get(newest(files)), { segment: { ...commit.segment, sha256 } }));
    return files.set(path, bytes);
  }

  const LATER: readonly (readonly [string, (files: Map<string, Buffer>) => Map<string, Buffer>])[] = [
    [
      'archive.json',
      (files) => files.set('archive.json', edited(files.get('archive.json'), { format: FORMAT + 1 })),
    ],
    [
      'a commit',
      (files) => files.set(newest(files), edited(files.get(newest(files)), { format: FORMAT + 1 })),
    ],
    ['an open segment', (files) => files.set(open(files), laterHeader(files.get(open(files))))],
    [
      'an open segment without entries',
      (files) => files.set(open(files), laterHeader(files.get(open(files))).subarray(0, 128)),
    ],
    ['a sealed segment', (files) => withSegment(files, sealed(files), laterHeader(files.get(sealed(files))))],
  ];

  test.each(LATER)(
    'is refused by a sentence that says so where %s is of it, and nothing is touched',
    async (_what, change) => {
      const files = change((await golden(FORMAT)).archive);
      await writeFiles(folder, files);
      const refusal = await openAndFold(folder).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ exitCode: EXIT_CORRUPT });
      expect(String(refusal)).toContain(
        `has format ${FORMAT + 1}, and this version knows format ${FORMAT} alone`,
      );
      expect(String(refusal)).not.toContain('backup');
      expect([...(await readFiles(folder))].toSorted(([a], [b]) => inOrder(a, b))).toEqual(
        [...files].toSorted(([a], [b]) => inOrder(a, b)),
      );
    },
  );
});
