import { describe, expect, it } from 'vitest';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import { expectFold, openQuick, someDrafts } from './owner-testing.ts';
import { store as append, count, drafting } from './testing.ts';

describe('the owner', () => {
  it('folds what becomes durable, cascades included, as the fold of the whole archive does', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const owner = openQuick(archive, store);
    for (const draft of someDrafts(1, 200)) await append(archive, [draft]);
    await expectFold(archive, owner, store);
    await owner.close();
  });

  it('catches up with what the archive held before it', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    await append(archive, someDrafts(2, 3_000));
    const owner = openQuick(archive, store);
    expect(owner.states.isReady('s1')).toBe(false);
    await expectFold(archive, owner, store);
    expect(owner.states.isReady('s1')).toBe(true);
    await owner.close();
  });

  it('says of nobody that all is folded while it catches up, though the stored states are whole', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    await append(archive, someDrafts(3, 20));
    const before = openQuick(archive, store);
    await expectFold(archive, before, store);
    await expect.poll(async () => (await store.load('')).fields.size).toBe(1);
    await before.close();
    await append(archive, someDrafts(4, 20));
    const gate = Promise.withResolvers<void>();
    async function* slowly(...range: Parameters<typeof archive.read>) {
      await gate.promise;
      yield* archive.read(...range);
    }
    const owner = openQuick({ ...archive, read: slowly }, store);
    await expect.poll(() => owner.status().phase).toBe('running');
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(owner.states.isReady('s1')).toBe(false);
    gate.resolve();
    await expect.poll(() => owner.states.isReady('s1')).toBe(true);
    expect(owner.applied()).toBe(archive.end() - 1);
    await owner.close();
  });

  it('tells the keys that an entry changed, at once', async () => {
    const archive = openMemoryArchive();
    const owner = openQuick(archive, openMemoryStore());
    const heard: unknown[] = [];
    owner.states.onChange((student, keys) => heard.push([student, [...keys].sort()]));
    await append(archive, [drafting()('ada', [{ doc: 'a b', event: 'ripple' }])]);
    await owner.caughtUp();
    const keys = ['count.v1:student=ada', 'echoed.v1:student=ada:doc=a%20b', 'ids.v1:student=ada:doc=a%20b'];
    expect(heard).toEqual([['ada', [...keys, 'rippler.v1:student=ada', 'running-hash.v1:student=ada']]]);
    await owner.close();
  });

  it('reads the initial state of a student without events', async () => {
    const archive = openMemoryArchive();
    const owner = openQuick(archive, openMemoryStore());
    await owner.caughtUp();
    await append(archive, [drafting()('bob', [{ doc: 'a' }])]);
    expect(await owner.states.read(count, { student: 'ada' })).toEqual({ state: { n: 0 }, halt: null });
    await owner.close();
  });
});
