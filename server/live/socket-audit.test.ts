import { afterEach, expect, test, vi } from 'vitest';
import { AppError } from '#server/errors.ts';
import { addClass, type Bench, countedQuery, note, openBench } from './school.bench.ts';
import { collect, NOTES, next, opened, openTwoClasses, roundTrip, subscribe } from './subscribe.testing.ts';

let bench: Bench;
afterEach(() => bench.close());

test('a student who joins comes with her whole row, audited before it is sent', async () => {
  bench = await openTwoClasses();
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
  bench = await openTwoClasses();
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
