import { describe, expect, it } from 'vitest';
import type { Reducer } from '#modules/kit/index.ts';
import type { Archive } from '#server/archive/archive.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { type Owner, openOwner } from './owner.ts';
import { compareStored } from './shadow.ts';
import {
  store as append,
  count,
  drafting,
  echoed,
  folds,
  memoryLog,
  registryOf,
  rippler,
} from './testing.ts';

const quick = { flushEveryMs: 5, retryMs: [1, 20] as const };

function open(archive: Archive, store: StateStore, reducers: readonly Reducer[] = folds): Owner {
  return openOwner({ archive, store, registry: registryOf(reducers), log: memoryLog(), limits: quick });
}

/** Throws at every event whose `n` is 3, until it is repaired. */
function fragile(version: number, isBroken = version === 1): Reducer {
  const step = (state: { n: number }, event: { n: number }) => {
    if (isBroken && event.n === 3) throw new Error('three');
    return { n: state.n + event.n };
  };
  return { ...count, name: 'fragile', version, on: { mark: step, ripple: step } };
}

async function filled(): Promise<{ readonly archive: Archive; readonly store: StateStore }> {
  const archive = openMemoryArchive();
  const draft = drafting();
  for (const student of ['ada', 'bob', 'eve'])
    for (let i = 0; i < 10; i++)
      await append(archive, [draft(student, [{ doc: 'a', event: i % 2 ? 'ripple' : 'mark' }])]);
  return { archive, store: openMemoryStore() };
}

async function whole(owner: Owner): Promise<void> {
  await owner.caughtUp();
  await expect.poll(() => ['ada', 'bob', 'eve'].every((student) => owner.states.isReady(student))).toBe(true);
  await owner.flush();
}

const stored = async (store: StateStore, student: string) =>
  [...(await store.load(student)).fields.keys()].sort();

describe('a new build', () => {
  it('folds what a new reducer lacks, and leaves the rest as it was', async () => {
    const { archive, store } = await filled();
    const before = open(archive, store, [count]);
    await whole(before);
    await before.close();
    const owner = open(archive, store);
    await owner.caughtUp();
    expect(owner.states.isReady('ada')).toBe(false);
    await whole(owner);
    expect(owner.status().rebuilding).toEqual({ done: 3, total: 3 });
    expect(await compareStored({ archive, store, reducers: folds })).toEqual({ compared: 15, differing: [] });
    await owner.close();
  });

  it('goes on with entries that come while it folds', async () => {
    const { archive, store } = await filled();
    const before = open(archive, store, [count, rippler]);
    await whole(before);
    await before.close();
    let go = () => {};
    const gate = new Promise<void>((done) => {
      go = done;
    });
    const slow: Archive = {
      ...archive,
      async *readStudent(student, to) {
        yield* archive.readStudent(student, to);
        await gate;
      },
    };
    const owner = open(slow, store);
    await owner.caughtUp();
    owner.prefer(['eve']);
    const draft = drafting();
    for (let i = 0; i < 5; i++) await append(archive, [draft('ada', [{ doc: 'b', event: 'ripple' }])]);
    await owner.caughtUp();
    expect((await owner.states.read(count, { student: 'ada' })).state).toEqual({ n: 15 });
    expect((await owner.states.read(echoed, { student: 'ada', doc: 'b' })).state).toEqual([]);
    expect(owner.states.isReady('ada')).toBe(false);
    go();
    await whole(owner);
    expect((await owner.states.read(echoed, { student: 'ada', doc: 'b' })).state).toHaveLength(10);
    expect((await compareStored({ archive, store, reducers: folds })).differing).toEqual([]);
    await owner.close();
  });

  it('goes on where it was when the process died half way', async () => {
    const { archive, store } = await filled();
    const before = open(archive, store, [count]);
    await whole(before);
    const hangs: Archive = {
      ...archive,
      readStudent: (student, to) =>
        student === 'bob'
          ? { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
          : archive.readStudent(student, to),
    };
    const dies = open(hangs, store);
    await dies.caughtUp();
    await expect.poll(() => dies.states.isReady('ada')).toBe(true);
    await append(archive, [drafting()('bob', [{ doc: 'z' }])]);
    await dies.flush();
    const owner = open({ ...archive, fence: 5 }, store);
    await whole(owner);
    expect((await compareStored({ archive, store, reducers: folds })).differing).toEqual([]);
  });

  it('drops the states of reducers that are no more', async () => {
    const { archive, store } = await filled();
    const before = open(archive, store);
    await whole(before);
    await before.close();
    const owner = open(archive, store, [count]);
    await whole(owner);
    expect(await stored(store, 'ada')).toEqual(['#', 'count.v1:student=ada']);
    await owner.close();
  });

  it('does not look through the students again once all are whole', async () => {
    const { archive, store } = await filled();
    const before = open(archive, store);
    await whole(before);
    await before.close();
    const owner = open(archive, {
      ...store,
      students: () => expect.unreachable('looks through the students'),
    });
    await whole(owner);
    await owner.close();
  });
});

describe('a halted key', () => {
  it('stays halted over a restart, says so to its rows, and is repaired by the next version', async () => {
    const { archive, store } = await filled();
    const before = open(archive, store, [fragile(1), count]);
    await whole(before);
    await before.close();
    const again = open(archive, store, [fragile(1), count]);
    await whole(again);
    const halted = await again.states.read(fragile(1), { student: 'ada' });
    expect(halted).toMatchObject({
      state: { n: 3 },
      halt: { code: 'threw', position: '0:2:0', message: 'three' },
    });
    expect((await again.states.read(count, { student: 'ada' })).halt).toBeNull();
    await again.close();
    const owner = open(archive, store, [fragile(2), count]);
    await whole(owner);
    const repaired = await owner.states.read(fragile(2), { student: 'ada' });
    expect(repaired).toEqual({ state: { n: 55 }, halt: null });
    expect(await stored(store, 'ada')).toEqual(['#', 'count.v1:student=ada', 'fragile.v2:student=ada']);
    await owner.close();
  });

  it('is tried again when an operator asks for it', async () => {
    const { archive, store } = await filled();
    const broken = { is: true };
    const reducer = { ...fragile(1), on: { mark: step, ripple: step } };
    function step(state: { n: number }, event: { n: number }) {
      if (broken.is && event.n === 3) throw new Error('three');
      return { n: state.n + event.n };
    }
    const owner = open(archive, store, [reducer, count]);
    await whole(owner);
    broken.is = false;
    await owner.rebuild('ada', [reducer]);
    expect(await owner.states.read(reducer, { student: 'ada' })).toEqual({ state: { n: 55 }, halt: null });
    await owner.rebuild('ada');
    expect((await owner.states.read(reducer, { student: 'bob' })).halt).not.toBeNull();
    await owner.flush();
    expect(await compareStored({ archive, store, reducers: [reducer, count], student: 'ada' })).toMatchObject(
      { differing: [] },
    );
    await owner.close();
  });

  it('is not half repaired when the process dies meanwhile', async () => {
    const { archive, store } = await filled();
    const hangs: Archive = {
      ...archive,
      readStudent: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    };
    const dies = open(hangs, store);
    await whole(dies);
    void dies.rebuild('ada', [count]);
    await expect.poll(() => dies.states.isReady('ada')).toBe(false);
    await append(archive, [drafting()('ada', [{ doc: 'a' }])]);
    await dies.flush();
    const owner = open({ ...archive, fence: 5 }, store);
    await owner.caughtUp();
    await owner.states.read(count, { student: 'ada' });
    await whole(owner);
    expect((await owner.states.read(count, { student: 'ada' })).state).toEqual({ n: 11 });
    expect((await compareStored({ archive, store, reducers: folds })).differing).toEqual([]);
  });

  it('halts what reads its emits, of the same thing', async () => {
    const { archive, store } = await filled();
    const throws: Reducer = { ...rippler, on: { ripple: () => expect.unreachable('three') } };
    const owner = open(archive, store, [throws, echoed]);
    await whole(owner);
    const { state, halt } = await owner.states.read(echoed, { student: 'ada', doc: 'a' });
    expect([state, halt?.code]).toEqual([[], 'threw']);
    await owner.close();
  });
});

describe('the comparison of stored states with the archive', () => {
  it('names the keys that differ: changed, missing, or too many', async () => {
    const { archive, store } = await filled();
    const owner = open(archive, store);
    await whole(owner);
    const at = owner.checkpoint();
    const changed = (await store.load('ada')).fields.get('count.v1:student=ada')?.replace('10', '11') ?? '';
    const writes = [
      { student: 'ada', set: [['count.v1:student=ada', changed] as const], del: [] },
      { student: 'bob', set: [], del: ['ids.v1:student=bob:doc=a'] },
      {
        student: 'eve',
        set: [['count.v1:student=eve', changed] as const, ['ids.v1:student=eve:doc=x', changed] as const],
        del: [],
      },
    ];
    expect(await store.flush({ fence: 0, base: at, checkpoint: at, writes })).toEqual({ ok: true });
    const { differing } = await compareStored({ archive, store, reducers: folds });
    expect([...differing].sort()).toEqual([
      'count.v1:student=ada',
      'count.v1:student=eve',
      'ids.v1:student=bob:doc=a',
      'ids.v1:student=eve:doc=x',
    ]);
  });
});
