import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openWaiting } from './observer-waiting.ts';

type One = { readonly seq: number; readonly bytes: number };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const one = (seq: number): One => ({ seq, bytes: 1 });

function setUp() {
  const submitted: number[] = [];
  const givenUp: number[] = [];
  const held: boolean[] = [];
  const clock = { now: () => Date.now(), monotonic: () => Date.now() };
  const waiting = openWaiting<One>({ heldBytes: 10, heldMs: 60_000 }, clock, {
    submit: ({ seq }) => submitted.push(seq),
    hold: (isHeld) => held.push(isHeld),
    giveUp: ({ seq }) => givenUp.push(seq),
  });
  return { waiting, submitted, givenUp, held };
}

test('submits at once while nothing waits, and behind what waits', () => {
  const { waiting, submitted, held } = setUp();
  waiting.add(one(1));
  waiting.tryLater(one(1), 1_000);
  waiting.add(one(2));
  expect(submitted).toEqual([1]);
  vi.advanceTimersByTime(1_000);
  expect(submitted).toEqual([1, 1, 2]);
  expect(held).toEqual([true, false]);
});

test('keeps the order where the later one is refused at once, and the earlier one only when its write fails', () => {
  const { waiting, submitted } = setUp();
  for (const seq of [1, 2, 3, 4]) waiting.add(one(seq));
  waiting.tryLater(one(4), 1_000);
  for (const seq of [1, 2, 3]) waiting.tryLater(one(seq), 1_000);
  waiting.add(one(5));
  vi.advanceTimersByTime(1_000);
  expect(submitted.slice(4)).toEqual([1, 2, 3, 4, 5]);
});

test('gives up, in order, what is more than may be held', () => {
  const { waiting, givenUp } = setUp();
  for (let seq = 11; seq >= 1; seq -= 1) waiting.tryLater(one(seq), 1_000);
  expect(givenUp).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});
