import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineService } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import { type Answers, canonical, openAnswers } from './ask.ts';

const silent: Log = { info() {}, warn() {}, error() {} };
let answers: Answers;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  answers.close();
  vi.useRealTimers();
});

function counted(name: string, work: (n: number) => string, version = 1) {
  const asked: number[] = [];
  const service = defineService({
    name,
    version,
    input: z.object({ n: z.number(), more: z.string().optional() }),
    output: z.string(),
    run: async ({ n }) => {
      asked.push(n);
      return work(n);
    },
  });
  return { service, asked };
}
const ignore = () => {};
const open = (keep?: number) => openAnswers({ clock: Date.now, log: silent, ...(keep ? { keep } : {}) });
const settled = () => vi.advanceTimersByTimeAsync(0);

test('an answer is undefined until it is there, and then told by the key under which it was asked', async () => {
  answers = open();
  const { service, asked } = counted('double', (n) => `${n * 2}`);
  const read: string[] = [];
  const told: string[] = [];
  answers.onChange((key) => told.push(key));
  expect(await answers.ask(service, { n: 2 }, (key) => read.push(key))).toEqual({ value: undefined });
  expect(await answers.ask(service, { n: 2 }, ignore)).toEqual({ value: undefined });
  await settled();
  expect(told).toEqual(read);
  expect(await answers.ask(service, { n: 2 }, ignore)).toEqual({ value: '4' });
  expect(asked).toEqual([2]);
});

test('another input, another service and another version have answers of their own', async () => {
  answers = open();
  const one = counted('same', () => 'one');
  const two = counted('same', () => 'two', 2);
  await answers.ask(one.service, { n: 1 }, ignore);
  await answers.ask(two.service, { n: 1 }, ignore);
  await answers.ask(one.service, { n: 2 }, ignore);
  await settled();
  expect(await answers.ask(one.service, { n: 1 }, ignore)).toEqual({ value: 'one' });
  expect(await answers.ask(two.service, { n: 1 }, ignore)).toEqual({ value: 'two' });
  expect(one.asked).toEqual([1, 2]);
});

test('a failure is an answer that says so for 60 s, then rows are woken and it is asked again', async () => {
  answers = open();
  let isBroken = true;
  const { service, asked } = counted('frail', () => {
    if (isBroken) throw new Error('out of order');
    return 'well';
  });
  const told: string[] = [];
  answers.onChange((key) => told.push(key));
  await answers.ask(service, { n: 1 }, ignore);
  await settled();
  expect(await answers.ask(service, { n: 1 }, ignore)).toEqual({ value: undefined, failedAt: Date.now() });
  await vi.advanceTimersByTimeAsync(59_000);
  await answers.ask(service, { n: 1 }, ignore);
  expect(asked).toEqual([1]);
  isBroken = false;
  await vi.advanceTimersByTimeAsync(1001);
  expect(told).toHaveLength(2);
  expect(await answers.ask(service, { n: 1 }, ignore)).toEqual({ value: undefined });
  await settled();
  expect(await answers.ask(service, { n: 1 }, ignore)).toEqual({ value: 'well' });
  expect(asked).toEqual([1, 1]);
});

test('of many answers those asked least recently go', async () => {
  answers = open(2);
  const { service, asked } = counted('echo', String);
  for (const n of [1, 2]) await answers.ask(service, { n }, ignore);
  await settled();
  await answers.ask(service, { n: 1 }, ignore);
  await answers.ask(service, { n: 3 }, ignore);
  await settled();
  expect(await answers.ask(service, { n: 1 }, ignore)).toEqual({ value: '1' });
  expect(await answers.ask(service, { n: 2 }, ignore)).toEqual({ value: undefined });
  await settled();
  expect(asked).toEqual([1, 2, 3, 2]);
});

test('equal inputs have one text, whatever the order of their fields', () => {
  expect(canonical({ b: [1, { d: 2, c: 3 }], a: 'x' })).toBe(canonical({ a: 'x', b: [1, { c: 3, d: 2 }] }));
  expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
  expect(canonical(undefined)).not.toBe(canonical(null));
});
