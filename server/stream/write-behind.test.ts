import { describe, expect, it } from 'vitest';
import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { openOwner } from './owner.ts';
import { store as append, drafting, marks, memoryLog, registryOf } from './testing.ts';
import { paceMs } from './write-behind.ts';

const numbers = Array.from({ length: 300_000 }, (_, i) => i);

/** A state that is made at once, and takes milliseconds to become JSON. */
const large = defineReducer({
  name: 'large',
  source: marks,
  scope: scope(student),
  initial: { n: 0, numbers },
  on: { mark: (state, { n }) => ({ ...state, n }) },
});

function timing(store: StateStore, at: number[]): StateStore {
  return {
    ...store,
    flush(flush) {
      at.push(performance.now());
      return store.flush(flush);
    },
  };
}

describe('the pace of flushes', () => {
  it('is the usual one while they cost next to nothing, and ends where the store says', () => {
    expect(paceMs(250, 0, 3_000)).toBe(250);
    expect(paceMs(250, 1, 3_000)).toBe(250);
    expect(paceMs(250, 10, 3_000)).toBe(2_000);
    expect(paceMs(250, 10_000, 3_000)).toBe(3_000);
    expect(paceMs(5_000, 10_000, 3_000)).toBe(5_000);
  });

  it('leaves the process to others for many times what the last one took', async () => {
    const archive = openMemoryArchive();
    const flushedAt: number[] = [];
    const owner = openOwner({
      archive,
      store: timing(openMemoryStore(), flushedAt),
      registry: registryOf([large]),
      log: memoryLog(),
      limits: { flushEveryMs: 1, flushBytes: Number.POSITIVE_INFINITY },
    });
    const draft = drafting();
    const until = performance.now() + 5_000;
    while (flushedAt.length < 2 && performance.now() < until) {
      await append(archive, [draft('ada', [{ doc: 'a' }])]);
      await owner.caughtUp();
    }
    const [first = Number.NaN, second = Number.NaN] = flushedAt;
    // 300,000 numbers are never written in under 3 ms.
    expect(second - first).toBeGreaterThan(600);
    await owner.close();
  });
});
