import { expect, test } from 'vitest';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { ReadArchive, ReadEntry } from './archive-reader.ts';
import { canonicalJson, foldEntries } from './fold.ts';
import { compareStates } from './stored-states.ts';

const event = (name: string, n: number) => ({ event: name, body: { doc: 'd', n, text: 'x' } });
const entries: readonly ReadEntry[] = [
  { o: 0, k: 'mark', t: 1 },
  {
    o: 1,
    k: 'batch',
    t: 1,
    s: 'ada',
    p: 'P',
    e: 1,
    f: 1,
    src: 'proof',
    ev: [event('mark', 1), event('ripple', 2)],
  },
  { o: 2, k: 'batch', t: 1, s: 'ada', p: 'P', e: 1, f: 3, src: 'proof', ev: [event('mark', 3)] },
];
const archive: ReadArchive = { id: 'a'.repeat(32), entries, fence: 0, sealedSegments: 0 };

/** A store that holds the fold up to a checkpoint, but for what `change` makes of a field. */
async function storeAt(checkpoint: number, change: (key: string, value: string) => string | undefined) {
  const store = openMemoryStore();
  await store.claim({ archive: archive.id, fence: 0, end: 99 });
  const set: [string, string][] = [['#', '{}']];
  for (const [key, { state, position }] of foldEntries(entries, checkpoint)) {
    const value = change(key, JSON.stringify({ p: position, s: state }));
    if (value !== undefined) set.push([key, value]);
  }
  await store.flush({ fence: 0, base: -1, checkpoint, writes: [{ student: 'ada', set, del: [] }] });
  return store;
}

const same = (_key: string, value: string) => value;

test('finds nothing wrong with the fold, at any checkpoint', async () => {
  for (const checkpoint of [0, 1, 2]) {
    const { wrong, compared } = await compareStates(await storeAt(checkpoint, same), archive);
    expect(wrong).toEqual([]);
    expect(compared).toBe([0, 5, 5][checkpoint]);
  }
});

test('finds a state that is missing, is of another moment, or is ahead of the archive', async () => {
  const without = await storeAt(2, (key, value) => (key.startsWith('proof-ids') ? undefined : value));
  expect((await compareStates(without, archive)).wrong).toEqual([
    'proof-ids.v1:student=ada:doc=d at 2: is not in the store',
  ]);
  const older = foldEntries(entries, 1);
  const mixed = await storeAt(2, (key, value) =>
    key.startsWith('proof-count') ? JSON.stringify({ p: '0:2:0', s: older.get(key)?.state }) : value,
  );
  expect((await compareStates(mixed, archive)).wrong).toEqual([
    'proof-count.v1:student=ada at 2: is {"n":2}, the fold gives {"n":3}',
  ]);
  const moved = await storeAt(2, (key, value) =>
    key.startsWith('proof-hash') ? value.replace('0:2:0', '0:1:0') : value,
  );
  expect((await compareStates(moved, archive)).wrong).toHaveLength(1);
  const ahead = await compareStates(await storeAt(3, same), archive);
  expect(ahead.wrong).toEqual(['the states reflect 3, the archive ends at 3']);
});

test('finds a state that the archive does not give, and one that is halted', async () => {
  const store = await storeAt(2, (key, value) =>
    key.startsWith('proof-count') ? JSON.stringify({ ...JSON.parse(value), h: { code: 'threw' } }) : value,
  );
  const extra: [string, string][] = [['proof-count.v1:student=eve', '{"p":"0:1:0","s":{"n":1}}']];
  await store.flush({
    fence: 0,
    base: 2,
    checkpoint: 2,
    writes: [{ student: 'eve', set: extra, del: [] }],
  });
  expect((await compareStates(store, archive)).wrong).toEqual([
    'proof-count.v1:student=ada at 2: it is halted',
    'proof-count.v1:student=eve at 2: the archive gives no such state',
  ]);
});

test('compares JSON without regard to the order of properties', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe(
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
});
