import { describe, expect, it } from 'vitest';
import type { Archive } from '#server/archive/archive.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { type Owner, type OwnerOptions, openOwner } from './owner.ts';
import { fieldsOfKey } from './persist.ts';
import { canonical } from './rebuild.ts';
import {
  store as append,
  count,
  drafting,
  folds,
  memoryLog,
  oracle,
  randomOf,
  registryOf,
} from './testing.ts';

const quick = { flushEveryMs: 5, retryMs: [1, 20] as const };

function open(archive: Archive, store: StateStore, more: Partial<OwnerOptions> = {}): Owner {
  return openOwner({ archive, store, registry: registryOf(folds), log: memoryLog(), limits: quick, ...more });
}

/** Live states and stored states are both the fold that the test makes by itself, byte for byte. */
async function expectFold(archive: Archive, owner: Owner, store: StateStore): Promise<void> {
  await owner.caughtUp();
  await owner.flush();
  const expected = await oracle(archive);
  const names = new Map(folds.map((reducer) => [`${reducer.name}.v${reducer.version}`, reducer]));
  for (const [key, state] of expected) {
    const reducer = names.get(key.split(':')[0] ?? '');
    if (!reducer) throw new Error(`no reducer of ${key}`);
    const read = await owner.states.read(reducer, fieldsOfKey(key));
    expect(canonical(read.state), key).toBe(canonical(state));
  }
  expect(await storedStates(store)).toEqual(
    new Map([...expected].map(([key, state]) => [key, canonical(state)])),
  );
  expect((await store.load('')).checkpoint).toBe(archive.end() - 1);
}

async function storedStates(store: StateStore): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for await (const student of store.students())
    for (const [field, value] of (await store.load(student)).fields)
      if (field.includes(':')) states.set(field, canonical(JSON.parse(value).s));
  return states;
}

function someDrafts(seed: number, entries: number, students = 5) {
  const random = randomOf(seed);
  const draft = drafting();
  return Array.from({ length: entries }, () =>
    draft(
      `s${random(students)}`,
      Array.from({ length: 1 + random(3) }, () => ({
        doc: `d${random(3)}`,
        event: random(4) === 0 ? ('ripple' as const) : ('mark' as const),
      })),
    ),
  );
}

describe('the owner', () => {
  it('folds what becomes durable, cascades included, as the fold of the whole archive does', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    const owner = open(archive, store);
    for (const draft of someDrafts(1, 200)) await append(archive, [draft]);
    await expectFold(archive, owner, store);
    await owner.close();
  });

  it('catches up with what the archive held before it', async () => {
    const archive = openMemoryArchive();
    const store = openMemoryStore();
    await append(archive, someDrafts(2, 3_000));
    const owner = open(archive, store);
    expect(owner.states.isReady('s1')).toBe(false);
    await expectFold(archive, owner, store);
    expect(owner.states.isReady('s1')).toBe(true);
    await owner.close();
  });

  it('tells the keys that an entry changed, at once', async () => {
    const archive = openMemoryArchive();
    const owner = open(archive, openMemoryStore());
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
    const owner = open(archive, openMemoryStore());
    await owner.caughtUp();
    await append(archive, [drafting()('bob', [{ doc: 'a' }])]);
    expect(await owner.states.read(count, { student: 'ada' })).toEqual({ state: { n: 0 }, halt: null });
    await owner.close();
  });
});
