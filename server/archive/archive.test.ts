import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { all, append, archiveContract, batch } from './archive.contract.ts';
import { type FileArchiveOptions, openFileArchive } from './file-archive.ts';
import { openMemoryArchive } from './memory-archive.ts';
import { sealBytes } from './seal-bytes.ts';

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
    runSeal: async (job) => sealBytes(job),
    limits: { minFreeBytes: 0 },
    ...more,
  });
}

archiveContract('archive in memory', async () => ({ open: async () => openMemoryArchive() }));
archiveContract('archive in files', async () => {
  const directory = await place();
  return { open: () => openAt(directory) };
});

test('seals in a thread of its own', async () => {
  const archive = await openAt(await place(), { runSeal: undefined });
  await append(archive, batch('ada', 1, 3), batch('bob', 1));
  await archive.seal();
  expect((await all(archive.readStudent('ada'))).map((entry) => entry.f)).toEqual([1]);
  await archive.close();
});
