import { expect, test } from 'vitest';
import { complaints, createLedger } from './ledger.ts';
import {
  createSimulatedDisk,
  type Operation,
  type SimulatedDisk,
  systemError,
} from './simulated-file-system.ts';
import { liveOn, openOn, randomFrom, whatIsLeft } from './simulated-life.ts';

const OPERATIONS: readonly Operation[] = [
  'write',
  'sync',
  'open',
  'rename',
  'link',
  'unlink',
  'sync-directory',
];
const CUTS = 6;

/** Dies at the k-th operation of a life, without a power cut: what it did not sync is still there. False: it lived on. */
async function dieAt(disk: SimulatedDisk, operation: Operation, k: number, ledger = createLedger()) {
  let count = 0;
  disk.setFault((met) => {
    if (met !== operation) return undefined;
    count += 1;
    return count >= k ? systemError('EIO') : undefined;
  });
  await liveOn(disk, ledger, 'a');
  disk.setFault(undefined);
  return count >= k;
}

test.each(OPERATIONS)(
  'what a death at any %s left in memory, and the next start took for true, survives a power cut right after that start',
  async (operation) => {
    for (let k = 1; ; k += 1) {
      const disk = createSimulatedDisk();
      const ledger = createLedger();
      if (!(await dieAt(disk, operation, k, ledger))) break;
      await openOn(disk);
      for (let seed = 1; seed <= CUTS; seed += 1) {
        const left = await whatIsLeft(disk.crash(randomFrom(seed)));
        expect(complaints(ledger, left), `${operation} ${k}, seed ${seed}`).toEqual([]);
      }
    }
  },
);
