import { expect, test } from 'vitest';
import type { Delta, Opened } from '#server/live/protocol.ts';
import { type Feed, type FeedAction, NOTHING_YET, reduceFeed, serverNow } from './feed.ts';

const ada = { student: { id: 'ada', name: 'Ada' }, words: 1 };
const opened: Opened = { ok: true, channel: 'c', n: 0, at: 5000, rows: [ada], params: {}, trouble: {} };
const delta = (n: number, words: number): Delta => ({
  channel: 'c',
  n,
  at: 5000 + n,
  set: { ada: { words } },
});
const rows = (n: number, words: number): FeedAction => ({ type: 'rows', delta: delta(n, words), now: 1000 });
const play = (...actions: readonly FeedAction[]): Feed => actions.reduce(reduceFeed, NOTHING_YET);
const open: FeedAction = { type: 'opened', opened, now: 1000 };

test('a gap in n keeps the rows as they were, not live, until all have come again', () => {
  const gap = play(open, rows(1, 2), rows(3, 4));
  expect(gap).toMatchObject({ phase: 'lost', n: 1, rows: [{ words: 2 }], lostAt: 1000 });
  expect(reduceFeed(gap, rows(2, 3))).toBe(gap);
  expect(reduceFeed(gap, open)).toMatchObject({ phase: 'live', n: 0, rows: [{ words: 1 }] });
});

test('rows before anything was opened, or of another channel, are not taken', () => {
  expect(play(rows(1, 2))).toBe(NOTHING_YET);
  const live = play(open);
  expect(reduceFeed(live, { type: 'rows', delta: { ...delta(1, 9), channel: 'd' }, now: 0 })).toBe(live);
});

test('a lost connection keeps the rows, and a second loss does not move the time', () => {
  const lost = play(open, { type: 'lost', now: 2000 }, { type: 'lost', now: 9000 });
  expect(lost).toMatchObject({ phase: 'lost', lostAt: 2000, rows: [ada] });
});

test('a refusal drops every row', () => {
  const ended = play(open, { type: 'ended', code: 'not-found', message: 'no more' });
  expect(ended).toMatchObject({ phase: 'ended', rows: [], channel: null, end: { code: 'not-found' } });
  expect(reduceFeed(ended, rows(1, 2))).toBe(ended);
});

test('the clock of the server goes on while live and stands still while lost', () => {
  const live = play(open);
  expect(serverNow(live, 1000)).toBe(5000);
  expect(serverNow(live, 4000)).toBe(8000);
  expect(serverNow(live, 0)).toBe(5000);
  const lost = reduceFeed(live, { type: 'lost', now: 4000 });
  expect([serverNow(lost, 4000), serverNow(lost, 60_000)]).toEqual([8000, 8000]);
});

test('a row on its way does not come from the future', () => {
  const live = play(open, rows(1, 2));
  expect(serverNow(live, 900)).toBe(5001);
});
