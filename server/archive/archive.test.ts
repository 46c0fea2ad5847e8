import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { all, append, archiveContract, batch } from './archive.contract.ts';
import { type FileArchiveOptions, openFileArchive } from './file-archive.ts';
import { diskFileSystem } from './file-system.ts';
import { openMemoryArchive } from './memory-archive.ts';
import { openUrgency } from './rests.ts';
import { type SealTask, sealHere, sealInWorker } from './run-seal.ts';

const directories: string[] = [];
afterEach(() =>
  Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true, force: true }))),
);

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'archive-'));
  directories.push(directory);
  return directory;
}

function openAt(directory: string, more: Partial<FileArchiveOptions> = {}) {
  return openFileArchive({
    directory,
    software: 'test',
    clock: () => 1_800_000_000_000,
    onFatal: (error) => {
      throw error;
    },
    runSeal: sealHere(diskFileSystem),
    limits: { minFreeBytes: 0 },
    ...more,
  });
}

archiveContract('archive in memory', async () => ({ open: async () => openMemoryArchive() }));
archiveContract('archive in files', async () => {
  const directory = await place();
  return { open: () => openAt(directory) };
});

test('seals in a thread of its own, which goes on from the producers of the segment before', async () => {
  const directory = await place();
  const archive = await openAt(directory, { runSeal: undefined });
  await append(archive, batch('ada', 1, 3), batch('bob', 1));
  await archive.seal();
  await append(archive, batch('ada', 4));
  await archive.seal();
  expect((await all(archive.readStudent('ada'))).map((entry) => entry.f)).toEqual([1, 4]);
  await archive.close();
  const again = await openAt(directory);
  expect([...again.producers()].map(({ producer, last }) => [producer, last])).toEqual([
    ['p-ada', 4],
    ['p-bob', 1],
  ]);
  await again.close();
});

test('a sealing may rest until somebody waits for it, or for the next one', async () => {
  const tasks: { readonly task: SealTask; readonly go: () => void }[] = [];
  const archive = await openAt(await place(), {
    runSeal: async (task) => {
      await new Promise<void>((go) => tasks.push({ task, go }));
      return sealHere(diskFileSystem)(task);
    },
    limits: { minFreeBytes: 0, sealBytes: 1 },
  });
  const isUrgent = (i: number) => Atomics.load(tasks[i]?.task.urgency ?? new Int32Array([-1]), 0);
  const begun = (count: number) => expect.poll(() => tasks.length).toBe(count);
  // The mark of the start is a segment of its own here.
  await begun(1);
  tasks[0]?.go();
  await archive.seal();
  await append(archive, batch('ada', 1));
  await begun(2);
  expect(isUrgent(1)).toBe(0);
  await append(archive, batch('ada', 2));
  await expect.poll(() => isUrgent(1)).toBe(1);
  tasks[1]?.go();
  await begun(3);
  expect(isUrgent(2)).toBe(1);
  tasks[2]?.go();
  await archive.seal();
  await append(archive, batch('ada', 3));
  await begun(4);
  expect(isUrgent(3)).toBe(0);
  const closed = archive.close();
  await expect.poll(() => isUrgent(3)).toBe(1);
  tasks[3]?.go();
  await closed;
});

test('an error of the disk comes out of the sealing thread with its code', async () => {
  const directory = await place();
  const source = { path: join(directory, 'one.open'), bytes: 0 };
  await writeFile(source.path, '');
  const into = join(directory, 'nowhere', 'one.tmp');
  const job = { streams: new Map(), createdAt: 0, keepProducersFrom: 0 };
  const sealing = sealInWorker({ job, source, before: undefined, into, urgency: openUrgency() });
  await expect(sealing).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open', path: into });
});

test('rolls by size and by age, and reads the same whatever is sealed meanwhile', async () => {
  let now = 1_800_000_000_000;
  const archive = await openAt(await place(), {
    clock: () => now,
    limits: { minFreeBytes: 0, sealBytes: 20_000, sealAfterMs: 5000, checkEveryMs: 5 },
  });
  const students = ['ada', 'bob', 'cy'];
  const seqs = [0, 0, 0];
  const offsets: number[] = [];
  archive.onDurable((entries) => void offsets.push(...entries.map((entry) => entry.o)));
  for (let round = 0; round < 60; round += 1) {
    const appends = students.flatMap((student, i) => {
      const from = (seqs[i] ?? 0) + 1;
      seqs[i] = from + 9;
      return Array.from({ length: 10 }, (_, more) => append(archive, batch(student, from + more, 1, now)));
    });
    const reading = Promise.all([all(archive.read(0)), all(archive.readStudent('bob'))]);
    await Promise.all(appends);
    const [read, ofBob] = await reading;
    expect(read.map((entry) => entry.o)).toEqual(read.map((_, i) => i));
    expect(ofBob).toEqual(read.filter((entry) => entry.s === 'bob').slice(0, ofBob.length));
  }
  const read = await all(archive.read(0));
  expect(read.length).toBe(1801);
  expect(offsets).toEqual(read.slice(1).map((entry) => entry.o));
  now += 5000;
  const directory = directories.at(-1) ?? '';
  // By age alone: the open segment that is left is far below the size.
  await expect
    .poll(async () => (await readdir(join(directory, 'p000'))).filter((name) => /open$/.test(name)).length)
    .toBe(1);
  await expect.poll(async () => (await all(archive.read(0))).length).toBe(1801);
  const last = (1801 - 1).toString(16).padStart(12, '0');
  await expect
    .poll(async () => (await readdir(join(directory, 'p000'))).some((name) => name.includes(`-${last}-`)))
    .toBe(true);
  await archive.close();
});

test('a second process is refused while the first has the archive, and not after', async () => {
  const directory = await place();
  const archive = await openAt(directory);
  await expect(openAt(directory)).rejects.toMatchObject({ code: 'conflict' });
  await archive.close();
  await (await openAt(directory)).close();
});

test('keeps id, entries and times over a stop and a start', async () => {
  const directory = await place();
  const first = await openAt(directory);
  await append(first, batch('ada', 1, 1, 2 ** 42));
  const kept = await all(first.read(0));
  await first.close();
  const second = await openAt(directory);
  expect(second.id).toBe(first.id);
  const at = await append(second, batch('ada', 2, 1, 5));
  const read = await all(second.read(0));
  expect(read.slice(0, 2)).toEqual(kept);
  expect(read[at]?.t).toBe(2 ** 42);
  await second.close();
});
