import { expect, test } from 'vitest';
import { connection, queue } from '#modules/kit/index.ts';
import { event, replay } from '#modules/kit/testing.ts';
import { acts } from './acts.ts';
import { presence, WITHOUT_END } from './presence.ts';

const student = 'ada';
const up = (at: number, id: string) =>
  event(connection, 'connected', {
    student,
    at,
    connection: id,
    edge: 'socket',
    identity: 'verified',
    client: { name: 'pad', deep: { not: 'kept' } },
  });
const down = (at: number, id: string) =>
  event(connection, 'disconnected', { student, at, connection: id, reason: 'transport close' });

test('a student is lost when the last of her connections ends, and not before', () => {
  expect(replay(presence, [up(1, 'a'), up(2, 'b'), down(3, 'a')])).toMatchObject({ open: ['b'], lost: null });
  expect(replay(presence, [up(1, 'a'), up(2, 'b'), down(3, 'a'), down(4, 'b')])).toMatchObject({
    open: [],
    lost: 4,
  });
  expect(replay(presence, [up(1, 'a'), down(2, 'a'), up(3, 'b')])).toMatchObject({ open: ['b'], lost: null });
});

test('the end of a connection that was never known, or told twice, changes nothing', () => {
  expect(replay(presence, [up(1, 'a'), down(2, 'a'), down(9, 'a')]).lost).toBe(2);
  expect(replay(presence, [up(1, 'a'), down(2, 'x')])).toMatchObject({ open: ['a'], lost: null });
});

test('of a client its plain fields are kept', () => {
  expect(replay(presence, [up(1, 'a')]).client).toEqual({ name: 'pad' });
});

test('a pause holds until its end or until it is taken back', () => {
  const paused = (until?: number) =>
    event(connection, 'paused', { student, at: 5, ...(until ? { until } : {}) });
  expect(replay(presence, [paused(99)]).paused).toBe(99);
  expect(replay(presence, [paused()]).paused).toBe(WITHOUT_END);
  expect(replay(presence, [paused(), event(connection, 'resumed', { student, at: 6 })]).paused).toBeNull();
});

test('lost events add up', () => {
  const lost = (count: number) => event(connection, 'lost', { student, at: 1, count });
  expect(replay(presence, [lost(2), lost(3)]).gone).toBe(5);
});

test('the latest act on a cause stands', () => {
  const actor = 'teacher';
  const seen = event(queue, 'seen', { student, at: 1000, cause: 'long quiet', actor });
  const snoozed = event(queue, 'snoozed', { student, at: 2000, cause: 'long quiet', actor, ms: 300_000 });
  const helped = event(queue, 'helped', { student, at: 3000, cause: 'stalled', actor });
  expect(replay(acts, [seen, snoozed, helped])).toEqual({
    byCause: [
      ['long quiet', { did: 'snoozed', at: 2000, until: 302_000 }],
      ['stalled', { did: 'helped', at: 3000, until: null }],
    ],
    helped: [3000],
  });
});

test('no more than 16 causes are kept, whatever a sender calls them', () => {
  const events = Array.from({ length: 40 }, (_, i) =>
    event(queue, 'seen', { student, at: i, cause: `${i} ${'x'.repeat(100)}`, actor: 't' }),
  );
  const { byCause } = replay(acts, events);
  expect(byCause).toHaveLength(16);
  expect(byCause.at(-1)?.[0]).toHaveLength(40);
});
