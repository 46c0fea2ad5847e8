import { describe, expect, it } from 'vitest';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StudentWrites } from '#server/state/state-store.ts';
import { expectFold, openQuick, someDrafts } from './owner-testing.ts';
import { store as append } from './testing.ts';

describe('the states of a flush', () => {
  it('writes what a failed flush did not, though nothing else happens', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const flush = [() => Promise.reject(new Error('not sent')), () => Promise.reject(new Error('not sent'))];
    const owner = openQuick(archive, { ...store, flush: (one) => flush.pop()?.() ?? store.flush(one) });
    await append(archive, someDrafts(11, 20));
    await expectFold(archive, owner, store);
    expect(flush).toEqual([]);
  });

  it('writes what a flush left that failed on its way', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    let reached = 0;
    const owner = openQuick(archive, {
      ...store,
      async flush(flush) {
        if (reached > 0) return store.flush(flush);
        for (const _ of flush.writes) if (++reached === 2) throw new Error('connection lost');
        return { ok: true };
      },
    });
    await append(archive, someDrafts(13, 30));
    await expectFold(archive, owner, store);
    expect(reached).toBe(2);
  });

  it('writes all as it was when the flush began, whoever is written then or later', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    let isFirst = true;
    const owner = openQuick(archive, {
      ...store,
      async flush(flush) {
        if (!isFirst) return new Promise(() => {});
        isFirst = false;
        const writes: StudentWrites[] = [];
        for (const one of flush.writes) {
          writes.push(one);
          await append(archive, someDrafts(15, 9));
          await owner.caughtUp();
        }
        return store.flush({ ...flush, writes });
      },
    });
    await append(archive, someDrafts(14, 30));
    await expect.poll(async () => (await store.load('')).checkpoint).toBe(29);
    expect(owner.applied()).toBeGreaterThan(29);
    // It goes on from what is stored: what is there already would count twice.
    await expectFold(archive, openQuick(archive, store), store);
  });
});
