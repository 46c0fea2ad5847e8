import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineQuery } from '#modules/kit/index.ts';
import { addClass, type Bench, countedQuery, note, openBench } from './school.bench.ts';
import { collect, NOTES, next, opened, openTwoClasses, roundTrip, subscribe } from './subscribe.testing.ts';

let bench: Bench;
afterEach(() => bench.close());

test('C01 one save of one student sends her row alone, and of it the fields that changed', async () => {
  bench = await openTwoClasses();
  bench.states.set(note, 'ada', { words: 1, text: 'one' });
  const tess = bench.connect('tess');
  const first = await opened(tess);
  expect(first.n).toBe(0);
  expect(first.rows).toEqual([
    { student: { id: 'ada', name: 'ADA' }, words: 1, text: 'one', kind: 'note' },
    { student: { id: 'bo', name: 'BO' }, words: 0, text: '', kind: 'note' },
  ]);
  const told = next(tess, 'rows');
  bench.states.set(note, 'ada', { words: 2, text: 'one' });
  expect(await told).toMatchObject({ channel: first.channel, n: 1, set: { ada: { words: 2 } } });
  expect(Object.keys((await told).set?.ada ?? {})).toEqual(['words']);
  expect(new Set(Object.keys(await told))).toEqual(new Set(['at', 'channel', 'n', 'set']));
});

test('a key typed into a long text travels as a splice', async () => {
  bench = await openTwoClasses();
  const text = 'It was a dark and stormy night, and the rain fell.';
  bench.states.set(note, 'ada', { words: 1, text });
  const tess = bench.connect('tess');
  await opened(tess);
  const told = next(tess, 'rows');
  bench.states.set(note, 'ada', { words: 1, text: text.replace('dark', 'darkish') });
  expect((await told).set).toEqual({ ada: { text: { $: [13, 0, 'ish'] } } });
});

test('C03 a student who leaves is gone, a field that goes is unset, a halted reducer is told with its time', async () => {
  bench = await openTwoClasses();
  bench.states.set(note, 'bo', { words: 1, text: 'x', draft: 'y' });
  const tess = bench.connect('tess');
  await opened(tess);
  let told = next(tess, 'rows');
  bench.states.set(note, 'bo', { words: 1, text: 'x' });
  expect(await told).toMatchObject({ unset: { bo: ['draft'] } });

  told = next(tess, 'rows');
  bench.states.halt(note, 'bo', { position: '7', at: 1234, code: 'threw', message: 'quotes a text' });
  expect((await told).trouble).toEqual({ bo: { code: 'stopped', since: 1234 } });
  expect(JSON.stringify(await told)).not.toContain('quotes');

  told = next(tess, 'rows');
  bench.school.classes.get('c1')?.students.splice(0, 1);
  bench.school.access.tell({ kind: 'roster', classroomId: 'c1' });
  expect((await told).gone).toEqual(['ada']);
  const deltas = collect(tess);
  bench.states.set(note, 'ada', { words: 99, text: '' });
  await roundTrip(tess);
  expect(deltas).toEqual([]);
  expect((await opened(tess)).rows.map((row) => row.student.id)).toEqual(['bo']);
});

test('two watchers of a class share one channel: each row runs once for both', async () => {
  const { query, runs } = countedQuery();
  bench = await openTwoClasses(query);
  bench.school.classes.get('c1')?.teachers.add('tim');
  const [tess, tim] = [bench.connect('tess'), bench.connect('tim')];
  await opened(tess);
  expect([...runs]).toEqual([
    ['ada', 1],
    ['bo', 1],
  ]);
  await opened(tim);
  expect([...runs]).toEqual([
    ['ada', 1],
    ['bo', 1],
  ]);
  const both = Promise.all([next(tess, 'rows'), next(tim, 'rows')]);
  bench.states.set(note, 'ada', { words: 2, text: '' });
  expect((await both).map(({ set }) => set)).toEqual([{ ada: { words: 2 } }, { ada: { words: 2 } }]);
  expect([...runs]).toEqual([
    ['ada', 2],
    ['bo', 1],
  ]);
  expect(bench.live.channels()).toBe(1);
});

test('the page of a student and her class are two channels, though the query is one', async () => {
  bench = await openTwoClasses();
  const [tess, ada] = [bench.connect('tess'), bench.connect('ada')];
  const whole = await opened(tess);
  const own = await opened(ada, { ...NOTES, student: 'ada' });
  expect(own.channel).not.toBe(whole.channel);
  const told = next(tess, 'rows');
  bench.states.set(note, 'bo', { words: 3, text: '' });
  expect(await told).toMatchObject({ channel: whole.channel, set: { bo: { words: 3 } } });
});

test('the same channel subscribed twice replaces the earlier one', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  const first = await opened(tess);
  const second = await opened(tess);
  expect(second.channel).toBe(first.channel);
  const deltas = collect(tess);
  bench.states.set(note, 'ada', { words: 3, text: '' });
  await next(tess, 'rows');
  await roundTrip(tess);
  expect(deltas.map(({ n }) => n)).toEqual([1]);
});

test('malformed and oversized messages are answered as invalid, and the socket lives on', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  for (const bad of [null, 7, 'x', [], {}, { ...NOTES, classroom: 1 }, { ...NOTES, params: [] }])
    expect(await subscribe(tess, bad as never)).toMatchObject({ ok: false, code: 'invalid' });
  const big = { ...NOTES, params: { a: 'x'.repeat(9000) } };
  expect(await subscribe(tess, big)).toMatchObject({ ok: false, code: 'invalid' });
  tess.emit('subscribe', NOTES, 'no function' as never);
  tess.emit('unsubscribe', { a: 1 } as never);
  expect((await opened(tess)).ok).toBe(true);
});

test('while a student of the class is still being folded the answer is unavailable, come again', async () => {
  bench = await openTwoClasses();
  bench.states.notReady.add('bo');
  const tess = bench.connect('tess');
  expect(await subscribe(tess)).toMatchObject({ ok: false, code: 'unavailable', retryAfterMs: 1000 });
  bench.states.notReady.clear();
  expect((await opened(tess)).rows).toHaveLength(2);
});

test('after a reconnect all rows come again, none from before is missing', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  tess.disconnect();
  bench.states.set(note, 'ada', { words: 4, text: 'meanwhile' });
  tess.connect();
  expect((await opened(tess)).rows).toMatchObject([{ words: 4, text: 'meanwhile' }, { words: 0 }]);
});

test('going away tells every dashboard a time of its own', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  const told = next(tess, 'going-away');
  bench.edge.goingAway(15_000);
  const { reconnectAfterMs } = await told;
  expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
  expect(reconnectAfterMs).toBeLessThanOrEqual(15_000);
});

test('other params are another channel, with rows of their own', async () => {
  const query = defineQuery({
    name: 'notes',
    title: 'Which?',
    params: z.object({ least: z.number().default(0) }),
    row: async ({ params }) => ({ least: params.least }),
  });
  bench = await openBench([query]);
  addClass(bench.school, 'c1', ['tess'], ['ada']);
  const tess = bench.connect('tess');
  const [one, two] = [await opened(tess), await opened(tess, { ...NOTES, params: { least: 5 } })];
  expect([one.rows[0]?.least, two.rows[0]?.least]).toEqual([0, 5]);
  expect(one.channel).not.toBe(two.channel);
  expect((await opened(tess, { ...NOTES, params: { least: 0 } })).channel).toBe(one.channel);
});
