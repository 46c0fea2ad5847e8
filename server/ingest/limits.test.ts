import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, openMeters, slowDownMs, take } from './limits.ts';

const DAY = 86_400_000;
const wanted = (more: object = {}) => ({
  events: 1,
  bytes: 100,
  isOld: false,
  nowMs: DAY,
  monotonicMs: 0,
  ...more,
});

describe('the meter of a student', () => {
  it('takes 400 events at once, then 40 a second, and says to slow down before it refuses', () => {
    const meter = openMeters(DEFAULT_LIMITS).meterOf('ada', 0);
    expect(take(meter, DEFAULT_LIMITS, wanted({ events: 300 }))).toBeNull();
    expect(slowDownMs(meter, DEFAULT_LIMITS)).toBe(0);
    expect(take(meter, DEFAULT_LIMITS, wanted({ events: 100 }))).toBeNull();
    expect(slowDownMs(meter, DEFAULT_LIMITS)).toBe(2_500);
    expect(take(meter, DEFAULT_LIMITS, wanted())).toEqual({ code: 'rate-limited', retryAfterMs: 25 });
    expect(take(meter, DEFAULT_LIMITS, wanted({ monotonicMs: 1_000, events: 41 }))).toMatchObject({
      code: 'rate-limited',
    });
    expect(take(meter, DEFAULT_LIMITS, wanted({ monotonicMs: 1_000, events: 40 }))).toBeNull();
  });

  it('lets a student catch up 1,000 a second, 60,000 a day, without using the fresh events up', () => {
    const meter = openMeters(DEFAULT_LIMITS).meterOf('ada', 0);
    for (let second = 0; second < 60; second++) {
      const old = { isOld: true, events: 1_000, bytes: 0, monotonicMs: second * 1_000 };
      expect(take(meter, DEFAULT_LIMITS, wanted(old))).toBeNull();
    }
    expect(take(meter, DEFAULT_LIMITS, wanted({ events: 400, monotonicMs: 60_000 }))).toBeNull();
    const more = wanted({ isOld: true, events: 60, monotonicMs: 60_000 });
    expect(take(meter, DEFAULT_LIMITS, more)).toMatchObject({ code: 'rate-limited' });
    expect(take(meter, DEFAULT_LIMITS, { ...more, nowMs: 2 * DAY, events: 400 })).toBeNull();
  });

  it('takes 256 MiB a day, and again the next day', () => {
    const meter = openMeters(DEFAULT_LIMITS).meterOf('ada', 0);
    const half = wanted({ bytes: 128 * 1024 * 1024 });
    expect(take(meter, DEFAULT_LIMITS, half)).toBeNull();
    expect(take(meter, DEFAULT_LIMITS, half)).toBeNull();
    const over = take(meter, DEFAULT_LIMITS, wanted({ nowMs: DAY + 1_000 }));
    expect(over).toEqual({ code: 'daily-quota', retryAfterMs: DAY - 1_000 });
    expect(take(meter, DEFAULT_LIMITS, wanted({ nowMs: 2 * DAY }))).toBeNull();
  });

  it('outlives its connections until the day is over', () => {
    const meters = openMeters(DEFAULT_LIMITS);
    const meter = meters.meterOf('ada', 0);
    take(meter, DEFAULT_LIMITS, wanted({ events: 400 }));
    meters.release(meter, DAY);
    expect(meters.meterOf('ada', 0)).toBe(meter);
    meters.release(meter, DAY + 1);
    expect(meters.size()).toBe(1);
    const bo = meters.meterOf('bo', 0);
    meters.release(bo, 2 * DAY);
    expect(meters.meterOf('ada', 0)).not.toBe(meter);
  });
});
