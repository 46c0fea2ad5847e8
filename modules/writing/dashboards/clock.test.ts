import { describe, expect, it } from 'vitest';
import { clockTime, clockTimeToSecond, duration, startOfDay } from './clock.ts';

const AT = Date.UTC(2026, 10, 20, 9, 21, 40);

describe('times', () => {
  it('are read by the clock of the school', () => {
    expect(clockTime(AT, 'Europe/Berlin')).toBe('10:21');
    expect(clockTimeToSecond(AT, 'America/New_York')).toBe('04:21:40');
  });

  it('count a day from the midnight of the school', () => {
    expect(startOfDay(AT, 'Europe/Berlin')).toBe(Date.UTC(2026, 10, 19, 23));
    expect(startOfDay(Date.UTC(2026, 10, 19, 23), 'Europe/Berlin')).toBe(Date.UTC(2026, 10, 19, 23));
    expect(startOfDay(AT, 'Asia/Kathmandu')).toBe(Date.UTC(2026, 10, 19, 18, 15));
  });
});

describe('a duration', () => {
  it.each([
    [0, '0:00'],
    [-5, '0:00'],
    [59_999, '0:59'],
    [168_000, '2:48'],
    [3_599_000, '59:59'],
    [3_900_000, '1 h 05'],
    [200_000_000, '2 d'],
  ])('of %i ms is %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});
