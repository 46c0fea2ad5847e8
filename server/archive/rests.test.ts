import { expect, it } from 'vitest';
import { hurry, openRests, openUrgency, relax } from './rests.ts';

it('rests three times as long as was worked, from ten milliseconds on, and not while it is urgent', () => {
  const urgency = openUrgency();
  const rested: number[] = [];
  let now = 0;
  const rest = (ms: number) => {
    rested.push(ms);
    now += ms;
  };
  const mayRest = openRests(urgency, { now: () => now, rest });
  const work = (ms: number) => {
    now += ms;
    mayRest();
  };
  for (const ms of [4, 4, 4, 9, 2]) work(ms);
  expect(rested).toEqual([36, 33]);
  hurry(urgency);
  for (let i = 0; i < 100; i += 1) work(100);
  expect(rested).toHaveLength(2);
  relax(urgency);
  work(1);
  expect(rested).toHaveLength(3);
});

it('is woken from its rest', () => {
  const urgency = openUrgency();
  hurry(urgency);
  expect(Atomics.wait(urgency, 0, 0, 60_000)).toBe('not-equal');
});
