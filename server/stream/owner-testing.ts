import { expect } from 'vitest';
import type { Archive } from '#server/archive/archive.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { type Owner, type OwnerOptions, openOwner } from './owner.ts';
import { fieldsOfKey } from './persist.ts';
import { canonical } from './rebuild.ts';
import { drafting, folds, memoryLog, oracle, randomOf, registryOf } from './testing.ts';

export const quick = { flushEveryMs: 5, retryMs: [1, 20] as const };

export function openQuick(archive: Archive, store: StateStore, more: Partial<OwnerOptions> = {}): Owner {
  return openOwner({ archive, store, registry: registryOf(folds), log: memoryLog(), limits: quick, ...more });
}

/** Live states and stored states are both the fold that the test makes by itself, byte for byte. */
export async function expectFold(archive: Archive, owner: Owner, store: StateStore): Promise<void> {
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

export function someDrafts(seed: number, entries: number, students = 5) {
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
