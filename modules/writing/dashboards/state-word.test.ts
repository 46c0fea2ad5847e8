import { describe, expect, it } from 'vitest';
import type { Bin, ClassRow, Moment } from './class-row.ts';
import { ago, NOW, PARAMS, rowOf } from './row-of.testing.ts';
import { stateOf } from './state-word.ts';

const NOTHING: Bin = [0, 0, 0, 0, 0];
const at = (row: Partial<ClassRow>, moment: Partial<Moment> = {}) =>
  stateOf(rowOf(row), PARAMS, { now: NOW, lessonAt: null, ...moment });
const idle = { bin: NOTHING } satisfies Partial<ClassRow>;
const cyclesAt = (third: number, ...times: readonly number[]) => ({
  ...idle,
  cycles: times.map((t) => [ago(third + (times.at(-1) ?? 0) - t), 40] as const),
});

describe('the state word', () => {
  it('S1 says writing of somebody who writes', () => {
    expect(at({})).toEqual({ word: 'writing', since: null, cause: null, note: null });
  });

  it('S2 and S3 say quiet from 120 seconds on, not before', () => {
    expect(at({ ...idle, wroteAt: ago(119), insAt: ago(119) }).word).toBe('writing');
    const quiet = at({ ...idle, wroteAt: ago(120), insAt: ago(120) });
    expect(quiet).toMatchObject({ word: 'quiet', since: NOW - 120_000, cause: null });
  });

  it('S4, S5 and S6 say no signal after the grace time, and of whom was never seen today', () => {
    expect(at({ open: 0, lostAt: ago(30) }).word).toBe('writing');
    expect(at({ open: 0, lostAt: ago(31) })).toMatchObject({ word: 'no signal', since: NOW - 31_000 });
    expect(at({ open: 0, seenToday: false })).toMatchObject({ word: 'no signal', note: 'not seen today' });
  });

  it('counts a signal of yesterday as not seen today, unless a connection stands', () => {
    const yesterday = { lostAt: ago(50_000), signalAt: ago(60_000), wroteAt: ago(55_000) };
    const today = { dayStartsAt: NOW - 37_000_000 };
    expect(at({ ...yesterday, open: 0 }, today).note).toBe('not seen today');
    expect(at({ ...yesterday, open: 1 }, today).note).toBeNull();
    expect(at({ ...yesterday, open: 0, signalAt: ago(30_000) }, today).note).toBeNull();
  });

  it('needs no connection of a tool that reports without one', () => {
    expect(at({ open: 0, lostAt: null }).word).toBe('writing');
  });

  it('keeps the signal while another connection is open', () => {
    expect(at({ open: 1, lostAt: ago(400) }).word).toBe('writing');
  });

  it('says paused, outside of the queue, while the student paused collection', () => {
    expect(at({ pausedUntil: ago(-60) })).toMatchObject({ word: 'no signal', note: 'paused', cause: null });
    expect(at({ pausedUntil: ago(1) }).word).toBe('writing');
  });

  it('S7 and S8 queue who has not started 3 minutes into the lesson', () => {
    const waiting = { ...idle, startedAt: null, wroteAt: null, insAt: null };
    expect(at(waiting, { lessonAt: NOW - 100_000 })).toMatchObject({ word: 'not started', cause: null });
    expect(at(waiting, { lessonAt: NOW - 180_000 })).toMatchObject({
      word: 'not started',
      cause: 'not started',
    });
    expect(at(waiting, { lessonAt: null }).cause).toBeNull();
  });

  it('S9 says revising where most of the change removes or lies inside the text', () => {
    const row = { wroteAt: ago(30), insAt: ago(30), bin: [40, 50, 30, -2, 200] as const };
    expect(at(row).word).toBe('revising');
  });

  it('S10 and S11 see stalled only below 50 changed characters', () => {
    const row = (bin: Bin) => at({ wroteAt: ago(40), insAt: ago(40), bin });
    expect(row([20, 18, 0, 1, 150])).toMatchObject({ word: 'needs a look', cause: 'stalled' });
    expect(row([45, 45, 0, 1, 150]).word).toBe('writing');
    expect(row([20, 18, 0, 6, 150]).word).not.toBe('needs a look');
    expect(row([20, 18, 0, 1, 59]).word).not.toBe('needs a look');
  });

  it('S12, S13 and S14 see circling once the third cycle is 20 seconds old and within 5 minutes', () => {
    expect(at(cyclesAt(10, 0, 230, 290)).word).toBe('writing');
    expect(at(cyclesAt(25, 0, 230, 290))).toMatchObject({
      word: 'needs a look',
      cause: 'circling',
      since: NOW - 25_000,
    });
    expect(at(cyclesAt(25, 0, 230, 301)).word).toBe('writing');
  });

  it('does not call cycles at different places circling', () => {
    const cycles = [
      [ago(200), 0],
      [ago(100), 101],
      [ago(50), 30],
    ] as const;
    expect(at({ ...idle, cycles }).word).toBe('writing');
    expect(
      at({
        ...idle,
        cycles: [
          [ago(200), 0],
          [ago(100), 100],
          [ago(50), 30],
        ],
      }).word,
    ).toBe('needs a look');
  });

  it('ends circling 5 minutes after its last cycle', () => {
    expect(at({ ...cyclesAt(301, 0, 20, 40), wroteAt: ago(10), insAt: ago(10) }).word).toBe('writing');
  });

  it('S15 and S16 turn long quiet into waiting 5 minutes and 20 seconds after the last insertion', () => {
    const row = (seconds: number) => at({ ...idle, wroteAt: ago(seconds), insAt: ago(seconds) });
    expect(row(310)).toMatchObject({ word: 'quiet', since: NOW - 310_000, cause: 'long quiet' });
    expect(row(325)).toMatchObject({ word: 'needs a look', cause: 'waiting' });
  });

  it('S17 and S18 leave quiet whoever is not in the document or goes at an own pace', () => {
    const away = { ...idle, wroteAt: ago(400), insAt: ago(400), focused: false };
    expect(at(away)).toMatchObject({ word: 'quiet', since: NOW - 400_000, cause: 'long quiet' });
    const ownPace = { ...idle, wroteAt: ago(325), insAt: ago(325), ownPace: true };
    expect(at(ownPace)).toMatchObject({ word: 'quiet', since: NOW - 325_000, cause: 'long quiet' });
  });

  it('switches stalled off for an own pace', () => {
    expect(at({ ownPace: true, bin: [20, 18, 0, 1, 150] }).word).not.toBe('needs a look');
  });

  it('says no analysis before anything else, but not for a mere delay', () => {
    const trouble = { code: 'stopped', since: NOW - 60_000 } as const;
    expect(at({ seenToday: false }, { trouble })).toMatchObject({ word: 'no analysis', since: NOW - 60_000 });
    expect(at({}, { trouble: { code: 'unavailable', since: NOW } }).word).toBe('no analysis');
    expect(at({}, { trouble: { code: 'delayed', since: NOW } }).word).toBe('writing');
  });

  it('lets what was written move out of the five minutes by itself', () => {
    const row = { wroteAt: ago(290), insAt: ago(290), focused: false, binAt: rowOf().binAt - 300 };
    expect(at({ ...row, bin: [20, 18, 0, 1, 150] }).word).toBe('quiet');
  });
});
