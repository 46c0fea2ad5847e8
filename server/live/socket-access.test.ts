import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineQuery } from '#modules/kit/index.ts';
import type { NotOpened } from './protocol.ts';
import { addClass, type Bench, type Client, countedQuery, note, openBench } from './school.bench.ts';
import { collect, NOTES, next, opened, openTwoClasses, roundTrip, subscribe } from './subscribe.testing.ts';

let bench: Bench;
afterEach(() => bench.close());

test('C02 a foreign class and one that is not there get the same answer, and nothing else comes', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  const heard: unknown[] = [];
  tess.onAny((...told) => heard.push(told));
  const foreign = await subscribe(tess, { ...NOTES, classroom: 'c2' });
  const missing = await subscribe(tess, { ...NOTES, classroom: 'c9' });
  expect(foreign).toEqual(missing);
  expect(foreign).toMatchObject({ ok: false, code: 'not-found' });
  for (const request of [
    { ...NOTES, query: 'none' },
    { ...NOTES, module: 'none' },
    { ...NOTES, student: 'cy' },
  ])
    expect(await subscribe(tess, request)).toEqual(missing);
  bench.states.set(note, 'cy', { words: 7, text: 'secret' });
  await roundTrip(tess);
  expect(heard).toEqual([]);
  expect(bench.audited).toEqual([]);
});

test('C02 params of a wrong type are invalid and the field is named', async () => {
  const query = defineQuery({
    name: 'notes',
    title: 'Which?',
    params: z.object({ quietAfterSeconds: z.number().default(120) }),
    row: async ({ params }) => ({ quiet: params.quietAfterSeconds }),
  });
  bench = await openBench([query]);
  addClass(bench.school, 'c1', ['tess'], ['ada']);
  const tess = bench.connect('tess');
  const wrong = await subscribe(tess, { ...NOTES, params: { quietAfterSeconds: 'soon' } });
  expect(wrong).toMatchObject({ ok: false, code: 'invalid' });
  expect((wrong as NotOpened).message).toContain('quietAfterSeconds');
  expect(await opened(tess)).toMatchObject({ params: { quietAfterSeconds: 120 }, rows: [{ quiet: 120 }] });
  // Whoever may not look is not told what the params should be.
  expect(
    await subscribe(tess, { ...NOTES, classroom: 'c2', params: { quietAfterSeconds: 'soon' } }),
  ).toMatchObject({
    code: 'not-found',
  });
});

test('C04 a teacher who is removed while she watches is refused at once and gets no further row', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  const { channel } = await opened(tess);
  const deltas = collect(tess);
  const refused = next(tess, 'refused');
  const began = Date.now();
  bench.school.classes.get('c1')?.teachers.delete('tess');
  bench.school.access.tell({ kind: 'roster', personId: 'tess' });
  expect(await refused).toMatchObject({ channel, code: 'not-found' });
  expect(Date.now() - began).toBeLessThan(5000);
  bench.states.set(note, 'ada', { words: 5, text: '' });
  expect(await subscribe(tess)).toMatchObject({ ok: false, code: 'not-found' });
  expect(deltas).toEqual([]);
});

test('C04 an act about a student of another class is not found and becomes no event', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  const act = (student: string, more: object = {}) =>
    new Promise((resolve) =>
      tess.emit(
        'act',
        { classroom: 'c1', student, cause: 'quiet', did: 'helped', ...more } as never,
        resolve,
      ),
    );
  expect(await act('cy')).toMatchObject({ ok: false, code: 'not-found' });
  expect(await act('nobody')).toEqual(await act('cy'));
  expect(await act('ada', { classroom: 'c2' })).toMatchObject({ code: 'not-found' });
  expect(await act('ada', { did: 'snoozed' })).toMatchObject({ code: 'invalid', message: 'ms is wrong' });
  const ada = bench.connect('ada');
  const own = { classroom: 'c1', student: 'ada', cause: 'quiet', did: 'helped' } as const;
  expect(await ada.emitWithAck('act', own)).toMatchObject({ ok: false, code: 'not-found' });
  expect(bench.recorded).toEqual([]);
  expect(await act('ada', { actor: 'tom' })).toEqual({ ok: true });
  expect(await act('ada', { did: 'snoozed', ms: 60_000 })).toEqual({ ok: true });
  expect(bench.recorded).toEqual([
    { student: 'ada', source: 'queue', event: 'helped', body: { cause: 'quiet', actor: 'tess' } },
    {
      student: 'ada',
      source: 'queue',
      event: 'snoozed',
      body: { cause: 'quiet', actor: 'tess', ms: 60_000 },
    },
  ]);
});

test('a student sees herself, and of her class nothing else', async () => {
  bench = await openTwoClasses();
  const ada = bench.connect('ada');
  const own = await opened(ada, { ...NOTES, student: 'ada' });
  expect(own.rows.map((row) => row.student.id)).toEqual(['ada']);
  const missing = await subscribe(ada, { ...NOTES, student: 'nobody' });
  expect(await subscribe(ada, { ...NOTES, student: 'bo' })).toEqual(missing);
  expect(await subscribe(ada, NOTES)).toEqual(missing);
  expect(await subscribe(ada, { ...NOTES, classroom: 'c2', student: 'ada' })).toEqual(missing);
  const deltas = collect(ada);
  bench.states.set(note, 'bo', { words: 9, text: '' });
  await roundTrip(ada);
  expect(deltas).toEqual([]);
});

test('whoever has no session, a foreign origin or only a token is refused at the door', async () => {
  bench = await openTwoClasses();
  const told = (client: Client) =>
    new Promise((resolve) =>
      client.once('connect_error', (error) => resolve((error as { data?: unknown }).data)),
    );
  const stranger = bench.connect('sid');
  bench.sessions.delete('sid');
  expect(await told(stranger)).toEqual({ code: 'unauthenticated' });
  expect(await told(bench.connect('tess', { origin: 'http://here.test.evil' }))).toEqual({
    code: 'unauthenticated',
  });
  expect(await told(bench.connect('tess', { origin: '' }))).toEqual({ code: 'unauthenticated' });
  expect(await told(bench.connect('tess', { cookie: '', authorization: 'Bearer x' }))).toEqual({
    code: 'unauthenticated',
  });
});

test('the 17th channel and the 31st subscribe of a minute are limited', async () => {
  const { query } = countedQuery();
  bench = await openBench([query]);
  for (let i = 0; i < 20; i += 1) addClass(bench.school, `c${i}`, ['tess'], [`s${i}`]);
  const tess = bench.connect('tess');
  const answers: boolean[] = [];
  for (let i = 0; i < 17; i += 1) answers.push((await subscribe(tess, { ...NOTES, classroom: `c${i}` })).ok);
  expect(answers).toEqual([...Array(16).fill(true), false]);
  for (let i = 17; i < 30; i += 1) await subscribe(tess, { ...NOTES, classroom: 'c0' });
  const answer = await subscribe(tess, { ...NOTES, classroom: 'c0' });
  expect(answer).toMatchObject({ ok: false, code: 'limited' });
  expect((answer as NotOpened).retryAfterMs).toBeGreaterThan(0);
});

test('a session that ends closes its connection with 4401, and no other', async () => {
  bench = await openTwoClasses();
  const [tess, tom] = [bench.connect('tess'), bench.connect('tom')];
  await opened(tess);
  await opened(tom, { ...NOTES, classroom: 'c2' });
  const closed = new Promise<unknown>((resolve) =>
    tess.once('disconnect', (_reason, details) =>
      resolve((details as { context?: { code?: number } }).context?.code),
    ),
  );
  bench.sessions.delete('tess');
  bench.school.access.tell({ kind: 'session-ended', personId: 'tess', sessionId: 'of-tess' });
  expect(await closed).toBe(4401);
  expect((await opened(tom, { ...NOTES, classroom: 'c2' })).ok).toBe(true);
});

test('a person who is suspended is asked for her session at once, and her connection closes', async () => {
  bench = await openTwoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  const closed = new Promise((resolve) => tess.once('disconnect', (_why, details) => resolve(details)));
  bench.sessions.delete('tess');
  bench.school.access.tell({ kind: 'person', personId: 'tess' });
  expect(await closed).toMatchObject({ context: { code: 4401 } });
});

test('the 61st handshake of a person within a minute is limited, and nobody else is', async () => {
  bench = await openTwoClasses();
  const answers = await Promise.all(
    Array.from({ length: 61 }, () => {
      const client = bench.connect('tess');
      return new Promise((resolve) => {
        client.once('connect', () => resolve('connected'));
        client.once('connect_error', (error) => resolve((error as { data?: object }).data));
      });
    }),
  );
  const refused = answers.filter((answer) => answer !== 'connected');
  expect(refused).toEqual([{ code: 'limited', retryAfterMs: expect.any(Number) }]);
  expect((await opened(bench.connect('tom'), { ...NOTES, classroom: 'c2' })).ok).toBe(true);
});
