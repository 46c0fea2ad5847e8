import { afterEach, expect, test, vi } from 'vitest';
import { defineQuery } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import { changed, channelOf, closeChannels, HASTE, rowOf } from './channel.testing.ts';
import { ROW_BYTES } from './run-row.ts';
import { systemTime } from './scheduler-time.ts';
import { countedQuery, note, silent } from './school.bench.ts';

afterEach(closeChannels);

test('a row that throws is unavailable and keeps its last values; the others stay live; then it is well again', async () => {
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    async row({ read }) {
      const { words } = await read(note);
      if (words < 0) throw new Error('a text nobody may log');
      return { words };
    },
  });
  const logged: string[] = [];
  const log: Log = { ...silent, warn: (fields, fact) => logged.push(JSON.stringify([fields, fact])) };
  const { channel, states } = await channelOf(query, ['ada', 'bo'], { log });
  states.set(note, 'ada', { words: -1, text: '' });
  await changed(channel);
  const { trouble } = channel.snapshot();
  expect(trouble.get('ada')).toMatchObject({ code: 'unavailable' });
  expect(rowOf(channel, 'ada')).toMatchObject({ words: 0 });
  states.set(note, 'bo', { words: 4, text: '' });
  await changed(channel);
  expect(rowOf(channel, 'bo')).toMatchObject({ words: 4 });
  states.set(note, 'ada', { words: 3, text: '' });
  await changed(channel);
  expect(rowOf(channel, 'ada')).toMatchObject({ words: 3 });
  expect(channel.snapshot().trouble.size).toBe(0);
  expect(logged).toHaveLength(1);
  expect(logged[0]).not.toContain('nobody may log');
});

test('while a row goes on throwing its trouble keeps the time when it began', async () => {
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    async row({ read }): Promise<{ words: number }> {
      throw new Error(String((await read(note)).words));
    },
  });
  const { channel, states } = await channelOf(query);
  const since = channel.snapshot().trouble.get('ada')?.since;
  states.set(note, 'ada', { words: 1, text: '' });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(channel.snapshot().trouble.get('ada')?.since).toBe(since);
});

test('what may not be sent is trouble of its row: too large, no JSON, or looking like a splice', async () => {
  const loops: Record<string, unknown> = {};
  loops.self = loops;
  const made: Record<string, object> = {
    ada: { text: 'x'.repeat(ROW_BYTES) },
    bo: { loops },
    cy: { trick: { $: [0, 0, 'x'] } },
    di: { n: 1n },
    eve: { fits: 'x'.repeat(ROW_BYTES - 100), gap: undefined, student: { id: 'bo', name: 'BO' } },
  };
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    row: async ({ student }) => made[student.id] as object,
  });
  const alarms: unknown[] = [];
  const log: Log = { ...silent, error: (fields) => alarms.push(fields.student) };
  const { channel } = await channelOf(query, Object.keys(made), { log });
  const { trouble, rows } = channel.snapshot();
  expect([...trouble].map(([id, { code }]) => `${id} ${code}`)).toEqual(
    ['ada', 'bo', 'cy', 'di'].map((id) => `${id} unavailable`),
  );
  expect(alarms).toEqual(['ada']);
  expect(rows.get('ada')).toEqual({ student: { id: 'ada', name: 'ADA' } });
  expect(rows.get('eve')).toMatchObject({ student: { id: 'eve', name: 'EVE' } });
  expect(Object.keys(rows.get('eve') ?? {})).toEqual(['fits', 'student']);
});

test('a row reads its own student, whatever its query asks for', async () => {
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    row: async ({ read }) => ({
      words: (await (read as (...args: unknown[]) => Promise<{ words: number }>)(note, { student: 'bo' }))
        .words,
    }),
  });
  const { channel, states } = await channelOf(query);
  states.set(note, 'bo', { words: 77, text: '' });
  states.set(note, 'ada', { words: 1, text: '' });
  await changed(channel);
  expect(rowOf(channel, 'ada')).toMatchObject({ words: 1 });
  expect(rowOf(channel, 'bo')).toMatchObject({ words: 77 });
});

test('a change that comes while a row is being read is not lost', async () => {
  const { query, runs } = countedQuery();
  const { channel, states } = await channelOf(query);
  const gate = Promise.withResolvers<void>();
  states.set(note, 'ada', { words: 1, text: '' });
  await changed(channel);
  states.hold(gate.promise);
  states.set(note, 'ada', { words: 2, text: '' });
  await vi.waitFor(() => expect(runs.get('ada')).toBe(3));
  states.set(note, 'ada', { words: 3, text: '' });
  states.set(note, 'bo', { words: 9, text: '' });
  states.hold(null);
  await vi.waitFor(() => expect(rowOf(channel, 'bo')).toMatchObject({ words: 9 }));
  expect(runs.get('ada')).toBe(3);
  gate.resolve();
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ words: 3 }));
  await vi.waitFor(() => expect(runs.get('ada')).toBe(4));
});

test('a change that comes while a row reads for the first time is not lost', async () => {
  const gate = Promise.withResolvers<void>();
  const { query, runs } = countedQuery();
  const { channel, states } = await channelOf(query, ['ada'], { held: gate.promise });
  expect(channel.snapshot().trouble.get('ada')).toMatchObject({ code: 'delayed' });
  states.set(note, 'ada', { words: 5, text: '' });
  states.hold(null);
  gate.resolve();
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ words: 5 }));
  expect(runs.get('ada')).toBe(2);
});

test('a row whose states came late is shown when it has ended, without another change', async () => {
  const { query, runs } = countedQuery();
  const { channel, states } = await channelOf(query, ['ada', 'bo'], { time: systemTime() });
  const gate = Promise.withResolvers<void>();
  const troubles: unknown[] = [];
  channel.onChange(() => troubles.push(channel.snapshot().trouble.get('*')));
  states.set(note, 'ada', { words: 1, text: '' });
  states.hold(gate.promise);
  await vi.waitFor(() => expect(runs.get('ada')).toBe(2));
  gate.resolve();
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ words: 1 }));
  expect(troubles).toEqual([undefined]);
});

test('a row that changed while it waited, and ended within the turn of another, runs again', async () => {
  const gate = Promise.withResolvers<void>();
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    async row({ student, read }) {
      const { words } = await read(note);
      if (student.id === 'bo' && words === 9) gate.resolve();
      return { words };
    },
  });
  const { channel, states } = await channelOf(query, ['ada', 'bo'], { time: systemTime() });
  states.set(note, 'ada', { words: 1, text: '' });
  states.hold(gate.promise);
  await new Promise((resolve) => setTimeout(resolve, 60));
  states.hold(null);
  states.set(note, 'ada', { words: 2, text: '' });
  states.set(note, 'bo', { words: 9, text: '' });
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ words: 2 }));
});

test('a row that runs again to the same values is the same object, and nobody is told', async () => {
  const { query, runs } = countedQuery();
  const { channel, states } = await channelOf(query);
  const { rows } = channel.snapshot();
  let told = 0;
  channel.onChange(() => {
    told += 1;
  });
  states.set(note, 'ada', { words: 0, text: '' });
  await vi.waitFor(() => expect(runs.get('ada')).toBe(2));
  states.set(note, 'bo', { words: 1, text: '' });
  await changed(channel);
  expect(channel.snapshot().rows.get('ada')).toBe(rows.get('ada'));
  expect(told).toBe(1);
});

test('a row that waits for its states does not hold up the others, and after 2 s the channel is delayed', async () => {
  const { query } = countedQuery();
  const { channel, states } = await channelOf(query);
  const gate = Promise.withResolvers<void>();
  states.hold(gate.promise);
  const began = Date.now();
  states.set(note, 'ada', { words: 1, text: '' });
  await vi.waitFor(() => expect(channel.snapshot().trouble.get('*')).toMatchObject({ code: 'delayed' }), {
    timeout: 5000,
  });
  expect(Date.now() - began).toBeGreaterThanOrEqual(2000 / HASTE - 1);
  states.hold(null);
  gate.resolve();
  await vi.waitFor(() => expect(channel.snapshot().trouble.size).toBe(0));
  expect(rowOf(channel, 'ada')).toMatchObject({ words: 1 });
});

test('a change that no row has read runs no row', async () => {
  const { query, runs } = countedQuery();
  const { channel, states } = await channelOf(query);
  channel.wake('ada', ['other.v1:student=ada']);
  channel.wake('nobody', ['note.v1:student=nobody']);
  channel.wakeAny('answer:x.v1:y');
  states.set(note, 'bo', { words: 1, text: '' });
  await changed(channel);
  expect([...runs]).toEqual([
    ['ada', 1],
    ['bo', 2],
  ]);
});

test('values of the class are worked out from its rows, and again when rows change', async () => {
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    row: async ({ read }) => ({ words: (await read(note)).words }),
    frame: ({ rows }) => {
      const sum = rows.reduce((all, { words }) => all + words, 0);
      if (sum > 100) throw new Error('too many');
      return { sum };
    },
  });
  const { channel, states } = await channelOf(query);
  expect(channel.snapshot().frame).toEqual({ sum: 0 });
  states.set(note, 'ada', { words: 5, text: '' });
  await changed(channel);
  expect(channel.snapshot().frame).toEqual({ sum: 5 });
  states.set(note, 'ada', { words: 500, text: '' });
  await changed(channel);
  expect(channel.snapshot()).toMatchObject({ frame: { sum: 5 } });
  expect(channel.snapshot().trouble.get('*')).toMatchObject({ code: 'unavailable' });
  expect(rowOf(channel, 'ada')).toMatchObject({ words: 500 });
});
