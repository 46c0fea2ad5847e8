import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Archive } from '#server/archive/archive.ts';
import type { Draft, Entry } from '#server/archive/entry.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { filesOnDisk, readArchive } from './archive-reader.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'archive-reader-'));
});
afterEach(() => rm(directory, { recursive: true }));

function open(): Promise<Archive> {
  const limits = { minFreeBytes: 0 };
  return openFileArchive({ directory, software: 'test', clock: () => 1_000, onFatal: () => {}, limits });
}

function append(archive: Archive, student: string, from: number, to: number): Promise<unknown> {
  const drafts: Draft[] = [];
  for (let seq = from; seq < to; seq += 1)
    drafts.push({ k: 'batch', t: 1, s: student, p: student, e: 1, f: seq, src: 'x', ev: [] });
  return new Promise((done) => archive.append(drafts, done));
}

async function entriesOf(archive: Archive): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const slice of archive.read(0)) entries.push(...slice);
  return entries;
}

function pathOf(ending: string): string {
  const name = readdirSync(join(directory, 'p000')).find((one) => one.endsWith(ending));
  return join(directory, 'p000', name ?? '');
}

test('reads what the archive wrote, sealed and open', async () => {
  const archive = await open();
  await append(archive, 'ada', 1, 30);
  await append(archive, 'bob', 1, 30);
  await archive.seal();
  await append(archive, 'ada', 30, 40);
  const read = readArchive(filesOnDisk(directory));
  expect(read.entries).toEqual(await entriesOf(archive));
  expect(read).toMatchObject({ id: archive.id, fence: archive.fence, sealedSegments: 1 });
  await archive.close();
  expect(readArchive(filesOnDisk(directory)).entries).toEqual(read.entries);
});

test('leaves out a group that was torn at the end of the last file', async () => {
  const archive = await open();
  await append(archive, 'ada', 1, 5);
  const bytes = readFileSync(pathOf('.open'));
  await append(archive, 'ada', 5, 10);
  const whole = readFileSync(pathOf('.open'));
  writeFileSync(pathOf('.open'), whole.subarray(0, bytes.length + 60));
  expect(readArchive(filesOnDisk(directory)).entries).toHaveLength(5);
  writeFileSync(pathOf('.open'), whole);
  await archive.close();
});

test('refuses a sealed segment with any bit of it flipped', async () => {
  const archive = await open();
  await append(archive, 'ada', 1, 5);
  await archive.close();
  const bytes = readFileSync(pathOf('.seg'));
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(pathOf('.seg'), flipped);
    expect(() => readArchive(filesOnDisk(directory)), `byte ${at}`).toThrow('not what its layout says');
  }
});
