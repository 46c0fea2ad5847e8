import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { batch } from './archive.contract.ts';
import { openFileArchive } from './file-archive.ts';
import { openArchiveMeasures } from './measures.ts';

const directory = mkdtempSync(join(tmpdir(), 'archive-measures-'));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('each group is counted with its entries, its bytes and the time of its sync', async () => {
  const measures = openArchiveMeasures();
  const archive = await openFileArchive({
    directory,
    software: 'test',
    clock: Date.now,
    onFatal(error) {
      throw error;
    },
    limits: { minFreeBytes: 0 },
    measures,
  });
  const drafts = Array.from({ length: 5 }, (_, n) => batch('ada', n + 1));
  await new Promise<void>((done) => archive.append(drafts, () => done()));
  // The start mark is a group of one entry.
  expect(measures).toMatchObject({ groups: 2, entries: 6, unsealed: 0 });
  expect(measures.bytes).toBeGreaterThan(5 * 100);
  expect(measures.freeBytes).toBeGreaterThan(0);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  expect(sum(measures.syncMs.snapshot().counts)).toBe(2);
  expect(measures.groupEntries.snapshot()).toMatchObject({ sum: 6 });
  await archive.close();
});
