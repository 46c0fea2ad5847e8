import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryLog } from '#server/stream/testing.ts';
import { openFileStore } from './file-store.ts';
import { describeStateStore } from './state-store.contract.ts';
import type { StateStore } from './state-store.ts';

const archive = 'a'.repeat(32);
const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'file-store-'));
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const open = (folder: string, snapshotBytes?: number) =>
  openFileStore({ folder, log: memoryLog(), snapshotBytes });

/** Flush n makes every student's field `n` say n, and drops the one before. */
async function fill(store: StateStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    const writes = ['ada', 'bob'].map((student) => ({
      student,
      set: [
        ['n', String(n)],
        [`n${n}`, 'x'.repeat(100)],
      ] as [string, string][],
      del: [`n${n - 1}`],
    }));
    expect(await store.flush({ fence: 0, base: n - 1, checkpoint: n, writes })).toEqual({ ok: true });
  }
}

/** Checkpoint and fields are of one moment, whichever that is. */
async function expectOneMoment(store: StateStore): Promise<number> {
  const ada = await store.load('ada');
  const bob = await store.load('bob');
  expect(bob).toEqual(ada);
  const n = ada.checkpoint;
  expect(ada.fields).toEqual(
    n < 0
      ? new Map()
      : new Map([
          ['n', String(n)],
          [`n${n}`, 'x'.repeat(100)],
        ]),
  );
  return n;
}

async function fileIn(folder: string): Promise<string> {
  const [name = '', ...more] = (await readdir(folder)).filter((one) => one.endsWith('.states'));
  expect(more).toEqual([]);
  return join(folder, name);
}

it('keeps each value of flushes that are larger than a piece, and of the snapshots made of them', async () => {
  const folder = await newFolder();
  const store = await open(folder, 1);
  await store.claim({ archive, fence: 0, end: 100 });
  const students = Array.from({ length: 60 }, (_, i) => `s${i}`);
  const valueIn = (student: string, n: number) => `${student} ${n} `.repeat(1_500);
  for (let n = 0; n < 4; n += 1) {
    const writes = students.map((student) => ({
      student,
      set: [['v', valueIn(student, n)]] as [string, string][],
      del: [],
    }));
    expect(await store.flush({ fence: 0, base: n - 1, checkpoint: n, writes })).toEqual({ ok: true });
    for (const student of students)
      expect((await store.load(student)).fields.get('v')).toBe(valueIn(student, n));
  }
  await store.close();
  const again = await open(folder);
  await again.claim({ archive, fence: 1, end: 100 });
  for (const student of students)
    expect((await again.load(student)).fields.get('v')).toBe(valueIn(student, 3));
  await again.close();
});

describeStateStore('states in a file', async () => open(await newFolder()));
describeStateStore('states in a file of many snapshots', async () => open(await newFolder(), 1));

describe('states in a file, opened again', () => {
  it('are those of the last flush, though nothing closed the store', async () => {
    const folder = await newFolder();
    const store = await open(folder);
    await store.claim({ archive, fence: 0, end: 0 });
    await fill(store, 0, 20);
    const again = await open(folder);
    expect(await again.claim({ archive, fence: 0, end: 20 })).toBe(19);
    expect(await expectOneMoment(again)).toBe(19);
    await expect(again.claim({ archive, fence: -1, end: 20 })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('are whole where a power cut left zeros behind them', async () => {
    for (const zeros of [1, 8, 9, 4096]) {
      const folder = await newFolder();
      const store = await open(folder);
      await store.claim({ archive, fence: 0, end: 0 });
      await fill(store, 0, 3);
      await appendFile(await fileIn(folder), Buffer.alloc(zeros));
      const again = await open(folder);
      expect(await again.claim({ archive, fence: 0, end: 3 })).toBe(2);
      expect(await expectOneMoment(again)).toBe(2);
    }
  });

  it('are of one moment wherever the file was torn', async () => {
    const folder = await newFolder();
    const store = await open(folder);
    await store.claim({ archive, fence: 0, end: 0 });
    await fill(store, 0, 8);
    await store.close();
    const path = await fileIn(folder);
    const whole = await readFile(path);
    const seen = new Set<number>();
    for (let size = 0; size < whole.length; size += 17) {
      await writeFile(path, whole);
      await truncate(path, size);
      const torn = await open(folder);
      await torn.claim({ archive, fence: 0, end: 99 });
      const at = await expectOneMoment(torn);
      seen.add(at);
      await fill(torn, at + 1, at + 2);
      expect(await expectOneMoment(torn)).toBe(at + 1);
      await torn.close();
      for (const name of await readdir(folder)) await rm(join(folder, name));
    }
    expect(seen).toEqual(new Set([-1, 0, 1, 2, 3, 4, 5, 6]));
  });

  it('are never what a flipped bit made of them', async () => {
    const folder = await newFolder();
    const store = await open(folder, 1);
    await store.claim({ archive, fence: 0, end: 0 });
    await fill(store, 0, 3);
    await store.close();
    const path = await fileIn(folder);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 7) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(path, flipped);
      const found = await open(folder);
      await found.claim({ archive, fence: 0, end: 99 });
      expect(await expectOneMoment(found)).toBeLessThanOrEqual(2);
      await found.close();
      for (const name of await readdir(folder)) await rm(join(folder, name));
    }
  });

  it('are dropped when a value changes on disk under the open store', async () => {
    const folder = await newFolder();
    const store = await open(folder);
    await store.claim({ archive, fence: 0, end: 0 });
    await fill(store, 0, 3);
    const path = await fileIn(folder);
    const bytes = await readFile(path);
    bytes[bytes.lastIndexOf('x')] = 0x79;
    await writeFile(path, bytes);
    expect((await store.load('ada')).checkpoint).toBe(2);
    expect(await store.load('bob')).toEqual({ checkpoint: -1, fields: new Map() });
    expect(await expectOneMoment(store)).toBe(-1);
  });

  it('take no more room than what lives and the flushes since the last snapshot', async () => {
    const folder = await newFolder();
    const store = await open(folder, 20_000);
    await store.claim({ archive, fence: 0, end: 0 });
    await fill(store, 0, 500);
    expect((await stat(await fileIn(folder))).size).toBeLessThan(25_000);
    await store.close();
    const again = await open(folder);
    await again.claim({ archive, fence: 0, end: 999 });
    expect(await expectOneMoment(again)).toBe(499);
  });
});
