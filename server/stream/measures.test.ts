import { expect, test } from 'vitest';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { AppError } from '#server/errors.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { openOwnerMeasures } from './measures.ts';
import { openQuick, someDrafts } from './owner-testing.ts';
import { store as append } from './testing.ts';

/** A store that answers nobody while `isDown`. */
function flaky() {
  const store = openMemoryStore();
  const state = { isDown: false };
  const refuse = () => {
    if (state.isDown) throw new AppError('unavailable', 'the store is away');
  };
  const flakyStore: StateStore = {
    ...store,
    async claim(claim) {
      refuse();
      return store.claim(claim);
    },
    async flush(flush) {
      refuse();
      return store.flush(flush);
    },
  };
  return { state, store: flakyStore };
}

test('an owner that starts on a store that is away says so, and no longer once it answers', async () => {
  const { state, store } = flaky();
  state.isDown = true;
  const owner = openQuick(openMemoryArchive(), store);
  await expect.poll(() => owner.status().isStoreSilent, { interval: 2 }).toBe(true);
  expect(owner.status().phase).toBe('starting');
  state.isDown = false;
  await expect.poll(() => owner.status().phase, { interval: 2 }).toBe('running');
  expect(owner.status().isStoreSilent).toBe(false);
  await owner.close();
});

test('flushes are timed, and those without an answer counted, while the store is away', async () => {
  const { state, store } = flaky();
  const archive = openMemoryArchive();
  const measures = openOwnerMeasures();
  const owner = openQuick(archive, store, { measures });
  await append(archive, someDrafts(1, 5));
  await owner.caughtUp();
  await owner.flush();
  const flushes = () => measures.flushMs.snapshot().counts.reduce((sum, count) => sum + count, 0);
  expect(flushes()).toBeGreaterThan(0);
  expect(measures.flushFailures).toBe(0);
  const before = flushes();
  state.isDown = true;
  await append(archive, someDrafts(2, 5));
  await owner.caughtUp();
  await expect.poll(() => measures.flushFailures, { interval: 2 }).toBeGreaterThan(1);
  expect(flushes()).toBe(before);
  expect(owner.status()).toMatchObject({ phase: 'running', isStoreSilent: true });
  state.isDown = false;
  await owner.flush();
  expect(owner.status().isStoreSilent).toBe(false);
  await owner.close();
});
