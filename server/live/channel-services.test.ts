import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineQuery, defineService } from '#modules/kit/index.ts';
import { channelOf, closeChannels, rowOf } from './channel.testing.ts';
import { note } from './school.bench.ts';

afterEach(closeChannels);

test('an answer wakes the row that asked, and equal inputs are worked on once', async () => {
  let runs = 0;
  const shout = defineService({
    name: 'shout',
    input: z.object({ words: z.number() }),
    output: z.string(),
    run: async ({ words }) => {
      runs += 1;
      return `${words}!`;
    },
  });
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    row: async ({ read, ask }) => ({ loud: (await ask(shout, { words: (await read(note)).words })) ?? null }),
  });
  const { channel, states } = await channelOf(query);
  await vi.waitFor(() => expect(rowOf(channel, 'bo')).toMatchObject({ loud: '0!' }));
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ loud: '0!' }));
  expect(runs).toBe(1);
  states.set(note, 'ada', { words: 2, text: '' });
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ loud: '2!' }));
  expect(rowOf(channel, 'bo')).toMatchObject({ loud: '0!' });
  expect(runs).toBe(2);
});

test('a service that fails makes the rows that asked unavailable, not their other values', async () => {
  const broken = defineService({
    name: 'broken',
    input: z.object({}),
    output: z.string(),
    run: async () => {
      throw new Error('out of order');
    },
  });
  const query = defineQuery({
    name: 'q',
    title: 'Q?',
    row: async ({ read, ask }) => ({ words: (await read(note)).words, said: await ask(broken, {}) }),
  });
  const { channel, states } = await channelOf(query);
  await vi.waitFor(() =>
    expect(channel.snapshot().trouble.get('ada')).toMatchObject({ code: 'unavailable' }),
  );
  states.set(note, 'ada', { words: 2, text: '' });
  await vi.waitFor(() => expect(rowOf(channel, 'ada')).toMatchObject({ words: 2 }));
});
