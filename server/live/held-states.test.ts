import { afterEach, expect, test } from 'vitest';
import { defineQuery, defineReducer, scope, student } from '#modules/kit/index.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { openAnswers } from '#server/services/ask.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import { type Owner, openOwner } from '#server/stream/owner.ts';
import { count, drafting, marks, registryOf, store } from '#server/stream/testing.ts';
import { changed, classroom, named, rowOf } from './channel.testing.ts';
import { openChannel } from './channel.ts';
import { ROW_BYTES } from './run-row.ts';
import { openScheduler } from './scheduler.ts';
import { silent } from './school.bench.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Stands still at the third event. */
const brittle = defineReducer({
  name: 'brittle',
  source: marks,
  scope: scope(student),
  initial: 0,
  on: {
    mark(n) {
      if (n === 2) throw new Error('no further');
      return n + 1;
    },
  },
});

const query = defineQuery({
  name: 'q',
  title: 'Q?',
  row: async ({ read }) => ({ n: (await read(count)).n, brittle: await read(brittle) }),
});

async function openClass() {
  const archive = openMemoryArchive();
  const registry = registryOf([count, brittle]);
  const owner: Owner = openOwner({ archive, store: openMemoryStore(), registry, log: silent });
  await owner.caughtUp();
  const scheduler = openScheduler();
  const answers = openAnswers({ clock: Date.now, log: silent });
  const parts = { states: owner.states, ask: answers.ask, scheduler, clock: Date.now, log: silent };
  const subject = { module: 'test', query, params: undefined, maxRowBytes: ROW_BYTES };
  const channel = openChannel(subject, { classroom, students: named('ada', 'bo') }, parts);
  owner.states.onChange((who, keys) => channel.wake(who, keys));
  await channel.whenComplete();
  ends.push(channel.close, scheduler.close, answers.close, () => void owner.close());
  const draft = drafting();
  const write = async (who: string) => {
    const seen = changed(channel);
    await store(archive, [draft(who, [{ doc: 'a' }])]);
    await seen;
  };
  return { owner, channel, write };
}

test('each change of a state in memory runs the row that read it, the first one included', async () => {
  const { owner, channel, write } = await openClass();
  expect(owner.states.held(count, { student: 'ada' })).toMatchObject({ state: { n: 0 }, halt: null });
  for (let n = 1; n <= 2; n++) {
    await write('ada');
    expect(rowOf(channel, 'ada')).toMatchObject({ n, brittle: n });
  }
  expect(rowOf(channel, 'bo')).toMatchObject({ n: 0, brittle: 0 });
});

test('a state in memory that stands still is trouble of its row, and of no other', async () => {
  const { channel, write } = await openClass();
  for (let n = 1; n <= 3; n++) await write('ada');
  expect(rowOf(channel, 'ada')).toMatchObject({ n: 3, brittle: 2 });
  expect(channel.snapshot().trouble.get('ada')).toMatchObject({ code: 'stopped' });
  expect(channel.snapshot().trouble.has('bo')).toBe(false);
});

test('of a student who is not in memory nothing is held', async () => {
  const { owner } = await openClass();
  expect(owner.states.held(count, { student: 'eve' })).toBeNull();
});
