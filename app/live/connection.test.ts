import { io } from 'socket.io-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Subscribe } from '#server/live/protocol.ts';
import {
  addClass,
  type Bench,
  countedQuery,
  note,
  OWN_ORIGIN,
  openBench,
  viewer,
} from '#server/live/school.bench.ts';
import { type Connection, openConnection } from './connection.ts';
import { reconnectDelay } from './reconnect-delay.ts';

const NOTES: Subscribe = { classroom: 'c1', module: 'test', query: 'notes' };
let bench: Bench;
let connection: Connection;
let made = 0;

beforeEach(async () => {
  const { query } = countedQuery();
  bench = await openBench([query]);
  bench.sessions.set('tess', viewer('tess'));
  addClass(bench.school, 'c1', ['tess'], ['ada', 'bo']);
  made = 0;
  connection = openConnection(() => {
    made += 1;
    const extraHeaders = { cookie: 'tess', origin: OWN_ORIGIN };
    return io(bench.url, {
      transports: ['websocket'],
      autoConnect: false,
      reconnection: false,
      forceNew: true,
      extraHeaders,
    });
  });
});
afterEach(async () => {
  connection.close();
  await bench.close();
});

const ignore = () => {};
const until = (check: () => void) => vi.waitFor(check, { timeout: 4000, interval: 5 });

test('two components that ask for the same share one connection and one channel', async () => {
  const one = connection.feed(NOTES);
  const other = connection.feed({ ...NOTES });
  one.subscribe(ignore);
  other.subscribe(ignore);
  await until(() => expect(one.get().phase).toBe('live'));
  expect(other.get()).toBe(one.get());
  expect(made).toBe(1);
  expect(bench.audited).toHaveLength(1);
  const [, bo] = one.get().rows;
  bench.states.set(note, 'ada', { words: 3, text: '' });
  await until(() => expect(one.get().rows[0]).toMatchObject({ words: 3 }));
  expect(one.get().rows[1]).toBe(bo);
});

test('after a lost connection the rows stay until all have come again, by itself', async () => {
  const feed = connection.feed(NOTES);
  const phases: string[] = [];
  feed.subscribe(() => phases.push(`${feed.get().phase} ${feed.get().rows.length}`));
  await until(() => expect(feed.get().phase).toBe('live'));
  bench.cut();
  await until(() => expect(feed.get().phase).toBe('lost'));
  bench.states.set(note, 'bo', { words: 8, text: '' });
  await until(() => expect(feed.get()).toMatchObject({ phase: 'live', rows: [{}, { words: 8 }] }));
  expect(phases).toEqual(['live 2', 'lost 2', 'live 2']);
});

test('a gap in the numbers is closed by subscribing again', async () => {
  const feed = connection.feed(NOTES);
  feed.subscribe(ignore);
  await until(() => expect(feed.get().phase).toBe('live'));
  bench.forge({ channel: feed.get().channel ?? '', n: 7, at: 1, set: { ada: { words: 666 } } });
  await until(() => expect(bench.audited.filter(({ action }) => action === 'live.open')).toHaveLength(2));
  await until(() => expect(feed.get()).toMatchObject({ phase: 'live', n: 0, rows: [{ words: 0 }, {}] }));
});

test('a right withdrawn drops the rows at once', async () => {
  const feed = connection.feed(NOTES);
  feed.subscribe(ignore);
  await until(() => expect(feed.get().phase).toBe('live'));
  bench.school.classes.get('c1')?.teachers.clear();
  bench.school.access.tell({ kind: 'roster', classroomId: 'c1' });
  await until(() =>
    expect(feed.get()).toMatchObject({ phase: 'ended', rows: [], end: { code: 'not-found' } }),
  );
});

test('a session that has ended is said, and not tried for ever', async () => {
  const feed = connection.feed(NOTES);
  feed.subscribe(ignore);
  await until(() => expect(feed.get().phase).toBe('live'));
  bench.sessions.clear();
  bench.school.access.tell({ kind: 'session-ended', sessionId: 'of-tess' });
  await until(() =>
    expect(feed.get()).toMatchObject({ phase: 'ended', rows: [], end: { code: 'unauthenticated' } }),
  );
});

test('the last to leave closes the channel and the connection', async () => {
  const feed = connection.feed(NOTES);
  const leave = feed.subscribe(ignore);
  await until(() => expect(feed.get().phase).toBe('live'));
  leave();
  await until(() => expect(bench.audited.map(({ action }) => action)).toEqual(['live.open', 'live.close']));
  expect(feed.get().phase).toBe('opening');
  feed.subscribe(ignore);
  await until(() => expect(feed.get().phase).toBe('live'));
});

test('an act is answered, and one without a connection says so', async () => {
  const act = { classroom: 'c1', student: 'ada', cause: 'quiet', did: 'seen' } as const;
  expect(await connection.act(act)).toMatchObject({ ok: false, code: 'unavailable' });
  const feed = connection.feed(NOTES);
  feed.subscribe(ignore);
  await until(() => expect(feed.get().phase).toBe('live'));
  expect(await connection.act(act)).toEqual({ ok: true });
  expect(bench.recorded).toMatchObject([{ student: 'ada', event: 'seen' }]);
});

test('attempts spread from nothing to a bound that doubles up to 30 s', () => {
  expect([0, 1, 2, 10, 1000].map((attempt) => reconnectDelay(attempt, 1))).toEqual([
    500, 1000, 2000, 30_000, 30_000,
  ]);
  expect(reconnectDelay(10, 0)).toBe(0);
});
