import { expect, test } from 'vitest';
import { connection } from './built-in.ts';
import { openConnections } from './open-connections.ts';
import { event, replay } from './testing.ts';

const opened = (id: string) =>
  event(connection, 'connected', { student: 'ada', connection: id, edge: 'socket', identity: 'verified' });
const closed = (id: string) =>
  event(connection, 'disconnected', { student: 'ada', connection: id, reason: 'closed' });

test('what was opened and not closed stands', () => {
  expect(replay(openConnections, [opened('a'), opened('b'), closed('a'), opened('c')])).toEqual({
    open: ['b', 'c'],
  });
});

test('an end without a beginning, and a beginning told twice, change nothing more', () => {
  expect(replay(openConnections, [closed('x'), opened('a'), opened('a')])).toEqual({ open: ['a'] });
});
