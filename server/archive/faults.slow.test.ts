import { describe, expect, test } from 'vitest';
import { complaints, createLedger } from './ledger.ts';
import { createSimulatedDisk, type Operation, systemError } from './simulated-file-system.ts';
import { liveOn, randomFrom, whatIsLeft } from './simulated-life.ts';

const OPERATIONS: readonly Operation[] = [
  'open',
  'write',
  'sync',
  'truncate',
  'rename',
  'link',
  'unlink',
  'sync-directory',
];

/** Counts how often an operation happens in a life without faults, after a first life on the same disk. */
async function countOf(operation: Operation): Promise<number> {
  const disk = createSimulatedDisk();
  await liveOn(disk, createLedger(), 'a');
  let count = 0;
  disk.setFault((met) => {
    if (met === operation) count += 1;
    return undefined;
  });
  await liveOn(disk, createLedger(), 'b');
  return count;
}

/** A first life without faults, a second in which the k-th operation fails, then a look after a kill and a power cut. */
async function faultAt(operation: Operation, k: number, isForEver: boolean, code: string) {
  const disk = createSimulatedDisk();
  const ledger = createLedger();
  await liveOn(disk, ledger, 'a');
  let count = 0;
  disk.setFault((met) => {
    if (met !== operation) return undefined;
    count += 1;
    return count === k || (isForEver && count > k) ? systemError(code) : undefined;
  });
  const end = await liveOn(disk, ledger, 'b');
  disk.setFault(undefined);
  const cut = disk.crash(randomFrom(k));
  return {
    end,
    found: [complaints(ledger, await whatIsLeft(cut)), complaints(ledger, await whatIsLeft(disk))].flat(),
  };
}

describe.each(OPERATIONS)('an error of %s', (operation) => {
  test.each([false, true])(
    'at any place never gives a false answer, and the next start is right (for ever: %s)',
    async (isForEver) => {
      const places = await countOf(operation);
      if (operation !== 'truncate') expect(places).toBeGreaterThan(0);
      for (let k = 1; k <= places; k += 1) {
        const { end, found } = await faultAt(operation, k, isForEver, 'EIO');
        expect(found, `${operation} ${k}`).toEqual([]);
        // Deleting an open segment that a commit covers is tidying up: it may fail without an end, all else may not.
        expect(end, `${operation} ${k}`).toBe('failed');
      }
    },
  );
});

test('a full disk at any write or open never gives a false answer, and the next start is right', async () => {
  for (const operation of ['write', 'open'] as const) {
    for (let k = 1; k <= (await countOf(operation)); k += 1) {
      for (const isForEver of [false, true]) {
        const { found } = await faultAt(operation, k, isForEver, 'ENOSPC');
        expect(found, `${operation} ${k}`).toEqual([]);
      }
    }
  }
});
