import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineQuery } from '#modules/kit/index.ts';
import { AppError } from '#server/errors.ts';
import type { Delta, NotOpened, Opened, Subscribe, Told } from './protocol.ts';
import { addClass, type Bench, type Client, countedQuery, note, openBench } from './school.bench.ts';

let bench: Bench;
afterEach(() => bench.close());

const NOTES = { classroom: 'c1', module: 'test', query: 'notes' };
const subscribe = (client: Client, request: Subscribe = NOTES) =>
  new Promise<Opened | NotOpened>((resolve) => client.emit('subscribe', request, resolve));
const opened = async (client: Client, request?: Subscribe) => {
  const answer = await subscribe(client, request);
  if (!answer.ok) throw new Error(answer.code);
  return answer;
};
const next = <E extends keyof Told>(client: Client, event: E) =>
  new Promise<Parameters<Told[E]>[0]>((resolve) => client.once(event, resolve as never));
const collect = (client: Client) => {
  const deltas: Delta[] = [];
  client.on('rows', (delta) => deltas.push(delta));
  return deltas;
};
/** All that the server had to say by now has come when an answer to a later question has. */
const roundTrip = (client: Client) => subscribe(client, { ...NOTES, query: 'none' });

async function twoClasses() {
  const counted = countedQuery();
  bench = await openBench([counted.query]);
  addClass(bench.school, 'c1', ['tess'], ['ada', 'bo']);
  addClass(bench.school, 'c2', ['tom'], ['cy']);
  return counted;
}

test('C01 one save of one student sends her row alone, and of it the fields that changed', async () => {
  await twoClasses();
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
  await twoClasses();
  const text = 'It was a dark and stormy night, and the rain fell.';
  bench.states.set(note, 'ada', { words: 1, text });
  const tess = bench.connect('tess');
  await opened(tess);
  const told = next(tess, 'rows');
  bench.states.set(note, 'ada', { words: 1, text: text.replace('dark', 'darkish') });
  expect((await told).set).toEqual({ ada: { text: { $: [13, 0, 'ish'] } } });
});

test('C02 a foreign class and one that is not there get the same answer, and nothing else comes', async () => {
  await twoClasses();
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

test('C03 a student who leaves is gone, a field that goes is unset, a halted reducer is told with its time', async () => {
  await twoClasses();
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

test('a student who joins comes with her whole row, audited before it is sent', async () => {
  await twoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  let looks = 0;
  const told = next(tess, 'rows').then((delta) => {
    looks = bench.audited.length;
    return delta;
  });
  bench.school.classes.get('c1')?.students.unshift({ id: 'al', name: 'AL' });
  bench.school.access.tell({ kind: 'roster', classroomId: 'c1' });
  expect(await told).toMatchObject({
    set: { al: { student: { id: 'al', name: 'AL' }, words: 0 } },
    order: ['al', 'ada', 'bo'],
  });
  expect(looks).toBe(2);
  expect(bench.audited[1]).toMatchObject({
    action: 'live.open',
    actor: 'tess',
    detail: { students: ['al'] },
  });
});

test('C04 a teacher who is removed while she watches is refused at once and gets no further row', async () => {
  await twoClasses();
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
  await twoClasses();
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

test('two watchers of a class share one channel: each row runs once for both', async () => {
  const { runs } = await twoClasses();
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

test('a student sees herself, and of her class nothing else', async () => {
  await twoClasses();
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

test('the page of a student and her class are two channels, though the query is one', async () => {
  await twoClasses();
  const [tess, ada] = [bench.connect('tess'), bench.connect('ada')];
  const whole = await opened(tess);
  const own = await opened(ada, { ...NOTES, student: 'ada' });
  expect(own.channel).not.toBe(whole.channel);
  const told = next(tess, 'rows');
  bench.states.set(note, 'bo', { words: 3, text: '' });
  expect(await told).toMatchObject({ channel: whole.channel, set: { bo: { words: 3 } } });
});

test('whoever has no session, a foreign origin or only a token is refused at the door', async () => {
  await twoClasses();
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

test('no audit, no look: when the line cannot be written nothing is shown', async () => {
  const { query } = countedQuery();
  bench = await openBench([query], {
    audit: {
      write: async () => {
        throw new AppError('unavailable', 'the audit cannot be written now', { retryAfterMs: 2000 });
      },
    },
  });
  addClass(bench.school, 'c1', ['tess'], ['ada']);
  const tess = bench.connect('tess');
  const deltas = collect(tess);
  expect(await subscribe(tess)).toEqual({
    ok: false,
    code: 'unavailable',
    message: 'the audit cannot be written now',
    retryAfterMs: 2000,
  });
  bench.states.set(note, 'ada', { words: 1, text: '' });
  await roundTrip(tess);
  expect(deltas).toEqual([]);
});

test('each look is one line of the audit at its beginning and one at its end', async () => {
  await twoClasses();
  const tess = bench.connect('tess');
  const { channel } = await opened(tess);
  await opened(tess, { ...NOTES, student: 'bo' });
  tess.emit('unsubscribe', channel);
  await roundTrip(tess);
  expect(bench.audited).toMatchObject([
    {
      action: 'live.open',
      actor: 'tess',
      classroomId: 'c1',
      detail: { query: 'notes', students: ['ada', 'bo'] },
    },
    { action: 'live.open', subjectKind: 'student', subjectId: 'bo', detail: { students: ['bo'] } },
    { action: 'live.close', classroomId: 'c1', subjectKind: 'class' },
  ]);
});

test('the same channel subscribed twice replaces the earlier one', async () => {
  await twoClasses();
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

test('malformed and oversized messages are answered as invalid, and the socket lives on', async () => {
  await twoClasses();
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
  await twoClasses();
  bench.states.notReady.add('bo');
  const tess = bench.connect('tess');
  expect(await subscribe(tess)).toMatchObject({ ok: false, code: 'unavailable', retryAfterMs: 1000 });
  bench.states.notReady.clear();
  expect((await opened(tess)).rows).toHaveLength(2);
});

test('a session that ends closes its connection with 4401, and no other', async () => {
  await twoClasses();
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
  await twoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  const closed = new Promise((resolve) => tess.once('disconnect', (_why, details) => resolve(details)));
  bench.sessions.delete('tess');
  bench.school.access.tell({ kind: 'person', personId: 'tess' });
  expect(await closed).toMatchObject({ context: { code: 4401 } });
});

test('after a reconnect all rows come again, none from before is missing', async () => {
  await twoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  tess.disconnect();
  bench.states.set(note, 'ada', { words: 4, text: 'meanwhile' });
  tess.connect();
  expect((await opened(tess)).rows).toMatchObject([{ words: 4, text: 'meanwhile' }, { words: 0 }]);
});

test('going away tells every dashboard a time of its own', async () => {
  await twoClasses();
  const tess = bench.connect('tess');
  await opened(tess);
  const told = next(tess, 'going-away');
  bench.edge.goingAway(15_000);
  const { reconnectAfterMs } = await told;
  expect(reconnectAfterMs).toBeGreaterThanOrEqual(0);
  expect(reconnectAfterMs).toBeLessThanOrEqual(15_000);
});

test('the 61st handshake of a person within a minute is limited, and nobody else is', async () => {
  await twoClasses();
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

test('a student who joins is not shown while the line about it is not durable', async () => {
  const { query } = countedQuery();
  const gate = Promise.withResolvers<void>();
  let lines = 0;
  const write = () => {
    lines += 1;
    return lines === 1 ? Promise.resolve() : gate.promise;
  };
  bench = await openBench([query], { audit: { write } });
  addClass(bench.school, 'c1', ['tess'], ['ada']);
  const tess = bench.connect('tess');
  await opened(tess);
  const deltas = collect(tess);
  bench.school.classes.get('c1')?.students.push({ id: 'bo', name: 'BO' });
  bench.school.access.tell({ kind: 'roster', classroomId: 'c1' });
  bench.states.set(note, 'ada', { words: 1, text: '' });
  await next(tess, 'rows');
  bench.states.set(note, 'ada', { words: 2, text: '' });
  await next(tess, 'rows');
  expect(JSON.stringify(deltas)).not.toContain('bo');
  gate.resolve();
  await vi.waitFor(() => expect(deltas.at(-1)?.set?.bo).toMatchObject({ words: 0 }));
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
