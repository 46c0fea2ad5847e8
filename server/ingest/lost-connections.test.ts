import { expect, test } from 'vitest';
import { endLostConnections } from './lost-connections.ts';

async function* those(...students: string[]) {
  yield* students;
}

test('connections that no process holds are ended, those of this one are left', async () => {
  const open: Record<string, string[]> = { ada: ['old', 'mine'], bo: [], cy: ['older'] };
  const missing: unknown[] = [];
  const ended = await endLostConnections({
    students: those('', 'ada', 'bo', 'cy'),
    states: {
      read: async (_reducer, { student }) =>
        ({ state: { open: open[student ?? ''] ?? [] }, halt: null }) as never,
    },
    recorder: { recordMissing: (lost) => missing.push(...lost) },
    isOpen: (connection) => connection === 'mine',
  });
  expect(ended).toBe(2);
  expect(missing).toEqual([
    { student: 'ada', connection: 'old' },
    { student: 'cy', connection: 'older' },
  ]);
});
