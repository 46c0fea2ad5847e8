import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Archive } from '#server/archive/archive.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { blockRowAt } from '#server/archive/sealed-format.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { foldInThreads } from './fold-threads.ts';
import { openOwner } from './owner.ts';
import { compareStored } from './shadow.ts';
import {
  store as append,
  drafting,
  folds,
  memoryLog,
  oracle,
  randomOf,
  registryOf,
  type Sent,
} from './testing.ts';

const FILE = new URL('./testing.ts', import.meta.url).href;
const STUDENTS = Array.from({ length: 40 }, (_, i) => `st_${i}:é`);
const folders: string[] = [];
const archives: Archive[] = [];
let made: ReturnType<typeof fill> | undefined;

afterAll(async () => {
  for (const archive of archives) await archive.close();
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function openArchive(directory: string): Promise<Archive> {
  const onFatal = (cause: unknown) => {
    throw cause;
  };
  const limits = { minFreeBytes: 0 };
  const archive = await openFileArchive({ directory, software: 'test', clock: Date.now, onFatal, limits });
  archives.push(archive);
  return archive;
}

/** One archive for all: no test leaves it other than it found it, but for more entries. */
function filled(): ReturnType<typeof fill> {
  made ??= fill();
  return made;
}

/** More than threads are started for, in three sealed segments, with bad rows, a key that halts, and an open end. */
async function fill(): Promise<{ readonly archive: Archive; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'recovering-'));
  folders.push(folder);
  const archive = await openArchive(folder);
  const random = randomOf(20261121);
  const draft = drafting();
  const few = (count: number) =>
    Array.from({ length: count }, () => {
      const student = STUDENTS[random(STUDENTS.length)] ?? '';
      const doc = `d${random(3)}`;
      const sent: Omit<Sent, 'student'>[] = [{ doc }, { doc, event: random(3) === 0 ? 'ripple' : 'mark' }];
      const one = draft(student, sent);
      // What fills a segment is nothing that a fold looks at.
      const [first, ...rest] = one.ev ?? [];
      const body = { ...first?.body, noise: randomBytes(3_000).toString('base64') };
      return { ...one, ev: [{ event: first?.event ?? '', body }, ...rest] };
    });
  for (let segment = 0; segment < 3; segment++) {
    await append(archive, few(300));
    const bad = { code: 'binary-unexpected' as const, original: '{}' };
    await append(archive, [{ k: 'bad', t: 1_000, s: STUDENTS[0] ?? '', bad }]);
    await archive.seal();
  }
  await append(archive, few(20));
  return { archive, folder };
}

/** Counts what the main thread reads of the archive. */
function counting(archive: Archive) {
  const seen = { entries: 0 };
  async function* read(from: number, to?: number) {
    for await (const entries of archive.read(from, to)) {
      seen.entries += entries.length;
      yield entries;
    }
  }
  return { seen, archive: { ...archive, read } };
}

async function recovered(archive: Archive, store: StateStore, file?: string) {
  const log = memoryLog();
  const limits = { flushBytes: 1 };
  const owner = openOwner({ archive, store, registry: { ...registryOf(folds), file }, log, limits });
  await owner.caughtUp();
  await owner.flush();
  return { owner, log };
}

async function fieldsOf(store: StateStore) {
  const all: Record<string, Record<string, string>> = {};
  for await (const id of store.students())
    all[id] = Object.fromEntries([...(await store.load(id)).fields].sort());
  return all;
}

/** As `oracle` says: every state, whatever its place in the store. */
async function statesIn(store: StateStore) {
  const states = new Map<string, unknown>();
  for (const [id, fields] of Object.entries(await fieldsOf(store)))
    if (id !== '')
      for (const [key, value] of Object.entries(fields))
        if (key !== '#') states.set(key, (JSON.parse(value) as { s: unknown }).s);
  return states;
}

describe('a start from nothing', () => {
  it('gives the same bytes by threads as by the main thread, and reads no sealed segment itself', async () => {
    const { archive } = await filled();
    const alone = openMemoryStore();
    const { owner } = await recovered(archive, alone);
    await owner.close();
    const together = openMemoryStore();
    const counted = counting(archive);
    const { owner: second, log } = await recovered(counted.archive, together, FILE);
    expect(log.facts).toEqual([]);
    expect(counted.seen.entries).toBeLessThan(50);
    expect(await statesIn(together)).toEqual(await oracle(archive));
    expect(await fieldsOf(together)).toEqual(await fieldsOf(alone));
    expect(await compareStored({ archive, store: together, reducers: folds })).toMatchObject({
      differing: [],
    });
    expect(second.status()).toMatchObject({ checkpoint: archive.end() - 1, behind: 0 });
    // Goes on from there.
    await append(archive, [drafting()('new', [{ doc: 'd' }])]);
    await second.caughtUp();
    await second.flush();
    expect(await statesIn(together)).toEqual(await oracle(archive));
    await second.close();
  });

  it('tells who read a student before she was folded to look again', async () => {
    const { archive } = await filled();
    const registry = { ...registryOf(folds), file: FILE };
    const owner = openOwner({ archive, store: openMemoryStore(), registry, log: memoryLog() });
    const student = STUDENTS[1] ?? '';
    const count = folds[0] as (typeof folds)[number];
    const look = async () => (await owner.states.read(count, { student })).state;
    while (owner.status().phase !== 'running') await new Promise((done) => setImmediate(done));
    expect(await look()).toEqual({ n: 0 });
    expect(owner.states.isReady(student)).toBe(false);
    const told: unknown[] = [];
    owner.states.onChange((id, keys, at) => id === student && at === undefined && told.push(...keys));
    await owner.caughtUp();
    await expect.poll(() => told).toContain(`count.v1:student=${encodeURIComponent(student)}`);
    expect(await look()).toEqual(
      (await oracle(archive)).get(`count.v1:student=${encodeURIComponent(student)}`),
    );
    await owner.close();
  });

  it('folds a student again only when all are folded, however slow the store', async () => {
    const { archive } = await filled();
    const store = openMemoryStore();
    const student = STUDENTS[2] ?? '';
    let again: Promise<void> | undefined;
    const flush: StateStore['flush'] = async (one) => {
      if (one.checkpoint >= 0 && !again) {
        again = owner.rebuild(student);
        await Promise.race([again.then(() => owner.flush()), new Promise((done) => setTimeout(done, 500))]);
      }
      return store.flush(one);
    };
    const registry = { ...registryOf(folds), file: FILE };
    const limits = { flushBytes: 0 };
    const owner = openOwner({ archive, store: { ...store, flush }, registry, log: memoryLog(), limits });
    await owner.caughtUp();
    await again;
    await owner.flush();
    expect(again).toBeDefined();
    expect(await statesIn(store)).toEqual(await oracle(archive));
    await owner.close();
  });

  it('believes nothing of a fold that was broken off', async () => {
    const archive = openMemoryArchive();
    await append(archive, [drafting()('ada', [{ doc: 'd' }])]);
    const store = openMemoryStore();
    await store.claim({ archive: archive.id, fence: archive.fence, end: archive.end() });
    const mark = JSON.stringify({
      build: registryOf(folds).build,
      folded: folds.map((one) => `${one.name}.v1`),
    });
    const state = '{"p":"0:0:0","s":{"n":7}}';
    const set = [['#', mark] as const, ['count.v1:student=ada', state] as const];
    const writes = [{ student: 'ada', set, del: [] }];
    await store.flush({ fence: archive.fence, base: -1, checkpoint: -1, writes });
    const { owner } = await recovered(archive, store);
    expect(await statesIn(store)).toEqual(await oracle(archive));
    await owner.close();
  });

  it('folds on the main thread, into an empty store, where threads fail', async () => {
    const { archive } = await filled();
    const expected = await oracle(archive);
    for (const code of ['throw new Error("no")', 'export const reducers = []']) {
      const store = openMemoryStore();
      const { owner, log } = await recovered(archive, store, `data:text/javascript,${code}`);
      expect(log.facts).toMatchObject([{ level: 'warn', reason: 'Error' }]);
      expect(await statesIn(store)).toEqual(expected);
      await owner.close();
    }
  });

  it.each(['before', 'after'])(
    'folds again, into an empty store, when the store breaks %s the last flush',
    async (when) => {
      const { archive } = await filled();
      const store = openMemoryStore();
      const checkpoints: number[] = [];
      const flush: StateStore['flush'] = async (one) => {
        const isFirst = one.checkpoint >= 0 && !checkpoints.some((checkpoint) => checkpoint >= 0);
        checkpoints.push(one.checkpoint);
        if (isFirst && when === 'before') throw new Error('gone');
        const result = await store.flush(one);
        if (isFirst) throw new Error('gone');
        return result;
      };
      const { owner, log } = await recovered(archive, { ...store, flush }, FILE);
      // Parts come under no checkpoint, as many as threads gave, before the last.
      expect(checkpoints[0]).toBe(-1);
      expect(log.facts).toMatchObject([{ level: 'warn', reason: 'Error' }]);
      expect(await statesIn(store)).toEqual(await oracle(archive));
      await owner.close();
    },
  );

  it('takes nothing of a block that was damaged', async () => {
    const { archive, folder } = await filled();
    const [path, bytes] = await firstSegmentOf(folder);
    const random = randomOf(19);
    const picture = archive.sealed?.();
    expect(picture?.students.length).toBe(STUDENTS.length);
    for (let round = 0; round < 4; round++) {
      const flipped = Buffer.from(bytes);
      const bit = 8 * (studentsBlock(bytes) + 102) + random(8 * 2_000);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(path, flipped);
      const names = folds.map((one) => `${one.name}.v1`).sort();
      const job = { ...(picture ?? { segments: [], students: [] }), reducers: FILE, build: '', names };
      const take = async () => {};
      const fold = foldInThreads({ job, threads: 2, take, isVoid: () => false });
      await expect(fold, `bit ${bit}`).rejects.toThrow('the archive is damaged');
    }
    await writeFile(path, bytes);
  });

  it('ends threads that hang in a step, or that nobody waits for', async () => {
    const { archive } = await filled();
    const picture = archive.sealed?.() ?? { segments: [], students: [] };
    const endless = `export const reducers = [{ name: 'endless', version: 1, source: { name: 'marks' },
      scope: { fields: [{ name: 'student', from: (e) => e.student }] }, initial: 0, on: { mark() { for (;;); } } }]`;
    const reducers = `data:text/javascript,${encodeURIComponent(endless)}`;
    const job = { ...picture, reducers, build: '', names: ['endless.v1'] };
    const about = { job, threads: 2, take: async () => {} };
    await expect(foldInThreads({ ...about, isVoid: () => false, silentMs: 600 })).rejects.toThrow('hangs');
    await expect(foldInThreads({ ...about, isVoid: () => true })).rejects.toThrow('nobody waits');
  });
});

/** Where the first block of a student is: those of marks and of bad rows are small, and no fold reads them. */
function studentsBlock(bytes: Buffer): number {
  for (let at = 128, row = blockRowAt(bytes, at); row; row = blockRowAt(bytes, at)) {
    if (row.length > 4_000) return at;
    at += row.length;
  }
  throw new Error('no student has a block');
}

async function firstSegmentOf(folder: string): Promise<readonly [string, Buffer]> {
  const names = (await readdir(join(folder, 'p000'))).filter((name) => name.endsWith('.seg')).sort();
  const path = join(folder, 'p000', names[0] ?? '');
  return [path, await readFile(path)];
}
