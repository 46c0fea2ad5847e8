import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openKeptValues } from './kept-values.ts';
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

describe('what a student has used', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limits-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;

  /** The meters of processes one after another, on one file; the time is the last that one of them heard. */
  function processes() {
    const file = join(folder, String(files++));
    let now = DAY;
    return {
      open: () => openMeters(DEFAULT_LIMITS, openKeptValues({ file, clock: () => now })),
      at(nowMs: number) {
        now = nowMs;
        return { nowMs, monotonicMs: nowMs - DAY };
      },
    };
  }

  it('is exactly the same after a restart that ended in order', () => {
    const { open, at } = processes();
    const first = open();
    const meter = first.meterOf('ada', 0);
    take(meter, DEFAULT_LIMITS, wanted({ events: 399, bytes: 1_000 }));
    take(meter, DEFAULT_LIMITS, wanted({ events: 900, isOld: true }));
    first.keepAll(DAY, 0);
    const next = open().meterOf('ada', 0);
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 2 }))).toMatchObject({ code: 'rate-limited' });
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 1 }))).toBeNull();
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 101, isOld: true }))).toMatchObject({
      code: 'rate-limited',
    });
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 100, isOld: true, ...at(DAY) }))).toBeNull();
    expect([next.bytesToday, next.caughtUpToday]).toEqual([1_300, 1_000]);
  });

  it('comes back with the time that has passed, and the day that is over', () => {
    const { open, at } = processes();
    const first = open();
    take(first.meterOf('ada', 0), DEFAULT_LIMITS, wanted({ events: 400, bytes: 200 * 2 ** 20 }));
    first.keepAll(DAY, 0);
    const next = open().meterOf('ada', 0);
    const later = at(DAY + 1_000);
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 41, ...later }))).toMatchObject({
      code: 'rate-limited',
    });
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 1, bytes: 60 * 2 ** 20, ...later }))).toMatchObject({
      code: 'daily-quota',
    });
    expect(take(next, DEFAULT_LIMITS, wanted({ events: 40, ...later }))).toBeNull();
    const tomorrow = open().meterOf('ada', 0);
    const bytes = 256 * 2 ** 20;
    expect(take(tomorrow, DEFAULT_LIMITS, wanted({ bytes, ...at(2 * DAY) }))).toBeNull();
  });

  it('is never less after a death at any frame, and at most a sixteenth of the limit more', () => {
    const { open, at } = processes();
    let used = 0;
    for (let life = 0; life < 40; life++) {
      const meter = open().meterOf('ada', 0);
      for (let frame = 0; frame < 1 + (life % 5); frame++) {
        const isTaken = take(meter, DEFAULT_LIMITS, wanted({ events: 1 + (life % 3), ...at(DAY) })) === null;
        if (isTaken) used += 1 + (life % 3);
        expect(meter.tokens).toBeLessThanOrEqual(DEFAULT_LIMITS.burst - used);
      }
    }
    expect(used).toBeLessThanOrEqual(DEFAULT_LIMITS.burst);
    const { open: openOther, at: atOther } = processes();
    const bo = openOther().meterOf('bo', 0);
    for (let n = 0; n < 100; n++) take(bo, DEFAULT_LIMITS, wanted(atOther(DAY)));
    const after = openOther().meterOf('bo', 0);
    take(after, DEFAULT_LIMITS, wanted());
    expect(after.tokens).toBeGreaterThanOrEqual(bo.tokens - 1 - DEFAULT_LIMITS.burst / 16);
  });

  it('is not forgotten where the next process saw the student and heard nothing', () => {
    const { open } = processes();
    const first = open();
    take(first.meterOf('ada', 0), DEFAULT_LIMITS, wanted({ events: 400 }));
    first.keepAll(DAY, 0);
    const second = open();
    second.meterOf('ada', 0);
    second.keepAll(DAY, 0);
    expect(take(open().meterOf('ada', 0), DEFAULT_LIMITS, wanted())).toMatchObject({ code: 'rate-limited' });
  });
});
