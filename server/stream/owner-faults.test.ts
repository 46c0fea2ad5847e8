import { describe, expect, it } from 'vitest';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { expectFold, openQuick, quick, someDrafts } from './owner-testing.ts';
import { store as append, count, drafting, randomOf } from './testing.ts';

describe('the owner, when something dies', () => {
  it('applies each entry once, wherever an owner is dropped', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const drafts = someDrafts(3, 300);
    let flushes = 0;
    const dies = (from: StateStore, at: number): StateStore => ({
      ...from,
      // The owner dies before its flush reached the store, or before it heard that it did.
      async flush(flush) {
        flushes += 1;
        if (flushes % 3 === at) return new Promise(() => {});
        const result = await from.flush(flush);
        return flushes % 3 === (at + 1) % 3 ? new Promise(() => {}) : result;
      },
    });
    for (let i = 0; i < drafts.length; i += 10) {
      openQuick(archive, dies(store, i % 3), { limits: { ...quick, flushEveryMs: 0 } });
      await append(archive, drafts.slice(i, i + 5));
      await new Promise((done) => setTimeout(done, i % 7));
      await append(archive, drafts.slice(i + 5, i + 10));
    }
    const owner = openQuick(archive, store);
    await expectFold(archive, owner, store);
  });

  it('starts at the stored checkpoint again when the store holds another', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const [first, second] = [openQuick(archive, store), openQuick(archive, store)];
    for (const draft of someDrafts(4, 120)) {
      await append(archive, [draft]);
      if (Math.random() < 0.2) await new Promise((done) => setTimeout(done, 6));
    }
    await Promise.all([first.caughtUp(), second.caughtUp()]);
    await expectFold(archive, first, store);
    await expectFold(archive, second, store);
  });

  it('stops for good once a higher fence is in the store', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const old = openQuick(archive, store);
    await append(archive, someDrafts(5, 20));
    await old.caughtUp();
    const young = openQuick({ ...archive, fence: 7 }, store);
    await young.caughtUp();
    await append(archive, someDrafts(5, 20));
    await young.flush();
    await old.flush();
    expect(old.status().phase).toBe('fenced');
    await expect(old.states.read(count, { student: 's1' })).rejects.toMatchObject({ code: 'unavailable' });
    await expectFold(archive, young, store);
  });

  it('stays live while the store is down, and writes all of it when it answers again', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const net: { isDown: boolean } = { isDown: false };
    const down = async <T>(work: () => Promise<T>): Promise<T> => {
      if (net.isDown) throw new Error('connection lost');
      return work();
    };
    const owner = openQuick(archive, {
      ...store,
      load: (student) => down(() => store.load(student)),
      flush: (flush) => down(() => store.flush(flush)),
    });
    const draft = drafting();
    await append(archive, [draft('ada', [{ doc: 'a' }])]);
    await owner.caughtUp();
    net.isDown = true;
    for (let i = 0; i < 50; i++) await append(archive, [draft('ada', [{ doc: 'a' }])]);
    await owner.caughtUp();
    expect((await owner.states.read(count, { student: 'ada' })).state).toEqual({ n: 51 });
    await expect(owner.states.read(count, { student: 'eve' })).rejects.toMatchObject({ code: 'unavailable' });
    // Someone whose states are not in memory waits for the store, and so do all after them.
    await append(archive, [draft('bob', [{ doc: 'a' }]), draft('ada', [{ doc: 'a' }])]);
    expect(owner.status().behind).toBe(2);
    net.isDown = false;
    await expectFold(archive, owner, store);
  });

  it('begins with nothing when the store lost everything', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const owner = openQuick(archive, store);
    await append(archive, someDrafts(6, 100));
    await owner.caughtUp();
    await owner.flush();
    await store.empty(99);
    await append(archive, someDrafts(7, 1));
    await expectFold(archive, owner, store);
  });

  it('believes no state of an entry that the archive lost, though its offset is in use again', async () => {
    const [lost] = someDrafts(1, 1);
    const [kept] = someDrafts(2, 1);
    const store = openMemoryStore();
    const before = openMemoryArchive();
    await append(before, lost ? [lost] : []);
    const first = openQuick(before, store);
    await first.caughtUp();
    await first.flush();
    await first.close();
    const now = openMemoryArchive();
    await append(now, kept ? [kept] : []);
    const archive = { ...now, id: before.id, foundEnd: before.end() - 1 };
    const owner = openQuick(archive, store);
    await expectFold(archive, owner, store);
    await owner.close();
  });

  it('applies nothing more while too much waits for the store', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const net: { isDown: boolean } = { isDown: true };
    const owner = openQuick(
      archive,
      {
        ...store,
        flush: (flush) => (net.isDown ? Promise.reject(new Error('hung')) : store.flush(flush)),
      },
      { limits: { ...quick, mostDirtyBytes: 3_000 } },
    );
    const drafts = someDrafts(8, 500, 40);
    for (const draft of drafts) await append(archive, [draft]);
    const { applied, dirtyBytes } = owner.status();
    expect(applied).toBeLessThan(100);
    expect(dirtyBytes).toBeLessThan(6_000);
    net.isDown = false;
    await expectFold(archive, owner, store);
  });

  it('does not believe a load from a store that fell back to an older checkpoint', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const net: { isOld: boolean } = { isOld: false };
    const old = { checkpoint: 0, fields: new Map<string, string>() };
    const owner = openQuick(
      archive,
      { ...store, load: async (student) => (net.isOld ? old : store.load(student)) },
      { limits: { ...quick, hotBytes: 1 } },
    );
    await append(archive, someDrafts(12, 50));
    await owner.caughtUp();
    await owner.flush();
    expect(owner.status().students).toBe(0);
    net.isOld = true;
    await expect(owner.states.read(count, { student: 's1' })).rejects.toMatchObject({ code: 'unavailable' });
    net.isOld = false;
    await expectFold(archive, owner, store);
  });

  it('keeps who is on the way to the store in memory', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    let release = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    const began: number[] = [];
    const gated: StateStore = {
      ...store,
      async flush(flush) {
        began.push(flush.checkpoint);
        await gate;
        return store.flush(flush);
      },
    };
    const owner = openQuick(archive, gated, { limits: { ...quick, hotBytes: 1 } });
    const draft = drafting();
    await append(archive, [draft('ada', [{ doc: 'a' }])]);
    await expect.poll(() => began.length).toBe(1);
    for (const student of ['bob', 'ada']) {
      await append(archive, [draft(student, [{ doc: 'a' }])]);
      await owner.caughtUp();
    }
    expect((await owner.states.read(count, { student: 'ada' })).state).toEqual({ n: 2 });
    release();
    await expectFold(archive, owner, store);
  });

  it('goes on when the store was silent for too long, and came back empty', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const net: { isDown: boolean } = { isDown: false };
    const owner = openQuick(
      archive,
      {
        ...store,
        flush: (flush) => (net.isDown ? Promise.reject(new Error('hung')) : store.flush(flush)),
      },
      { limits: { ...quick, mostSilentMs: 20 } },
    );
    const drafts = someDrafts(10, 60, 3);
    for (const draft of drafts.slice(0, 20)) await append(archive, [draft]);
    await owner.flush();
    net.isDown = true;
    for (const draft of drafts.slice(20, 40)) await append(archive, [draft]);
    await new Promise((done) => setTimeout(done, 60));
    for (const draft of drafts.slice(40)) await append(archive, [draft]);
    expect(owner.status().behind).toBe(20);
    await store.empty(9);
    net.isDown = false;
    await expectFold(archive, owner, store);
  });

  it('writes no more often than it may, and at once when much has changed', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const flushes: number[] = [];
    const counting: StateStore = {
      ...store,
      flush(flush) {
        flushes.push(flush.checkpoint);
        return store.flush(flush);
      },
    };
    const owner = openQuick(archive, counting, { limits: { flushEveryMs: 60_000, flushBytes: 5_000 } });
    const draft = drafting();
    for (let i = 0; i < 5; i++) await append(archive, [draft('ada', [{ doc: 'a' }])]);
    expect([flushes, owner.status().applied]).toEqual([[], 4]);
    for (let i = 0; i < 40; i++) await append(archive, [draft(`s${i}`, [{ doc: 'a' }])]);
    expect(flushes.length).toBeGreaterThan(0);
    expect(flushes.length).toBeLessThan(10);
  });

  it('loses nothing when students leave the memory all the time', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const owner = openQuick(archive, store, { limits: { ...quick, flushEveryMs: 0, hotBytes: 4_000 } });
    for (const draft of someDrafts(9, 1_000, 60)) await append(archive, [draft]);
    await owner.caughtUp();
    await owner.flush();
    expect(owner.status().students).toBeLessThan(10);
    await expectFold(archive, owner, store);
  });

  it('gives the same states under random faults of the store', async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.info(`seed ${seed}`);
    const random = randomOf(seed);
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const net: { isSound: boolean } = { isSound: false };
    const faulty = async <T>(work: () => Promise<T>): Promise<T> => {
      const fault = net.isSound ? 9 : random(12);
      if (fault === 0) throw new Error('not sent');
      if (fault === 1) await new Promise((done) => setTimeout(done, random(10)));
      const result = await work();
      if (fault === 2) throw new Error('sent, and not answered');
      if (fault === 3 && random(4) === 0) await store.empty(1e9);
      return result;
    };
    const faultyStore: StateStore = {
      ...store,
      claim: (claim) => faulty(() => store.claim(claim)),
      load: (student) => faulty(() => store.load(student)),
      flush: (flush) => faulty(() => store.flush(flush)),
    };
    let owner = openQuick(archive, faultyStore, { limits: { ...quick, hotBytes: 20_000 } });
    for (const draft of someDrafts(seed, 400, 20)) {
      await append(archive, [draft]);
      const luck = random(30);
      if (luck === 0) owner = openQuick({ ...archive, fence: archive.end() }, faultyStore);
      else if (luck < 4) await new Promise((done) => setTimeout(done, random(12)));
    }
    net.isSound = true;
    await expectFold(archive, owner, store);
  }, 20_000);
});
