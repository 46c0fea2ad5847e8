import { expect, test } from 'vitest';
import { replay } from '#modules/kit/testing.ts';
import { NEW_CLOCK, tick } from '../clock.ts';
import { writer } from '../writer.testing.ts';
import { binsOnTask, secondsOnTask, timeOnTask } from './time-on-task.ts';

function keysAt(...seconds: number[]) {
  const ada = writer();
  for (const second of seconds) ada.key(second * 1000);
  return replay(timeOnTask, ada.events);
}

test('K1: time that runs back takes nothing away', () => {
  const times = [1000, 1010, 1200, 1190, 1195];
  const after = times.map((_, i) => secondsOnTask(keysAt(...times.slice(0, i + 1))));
  expect(after).toEqual([0, 10, 70, 70, 70]);
  expect(secondsOnTask(keysAt(...times), 60, 'strict')).toBe(10);
  expect(binsOnTask(keysAt(...times))).toEqual({ 600: 70 });
});

test('K2: what a pause is credited is cut at the edges of ten minutes', () => {
  const state = keysAt(1000, 1010, 1195, 1199, 1230, 5000, 5001);
  expect(secondsOnTask(state)).toBe(166);
  expect(secondsOnTask(state, 60, 'strict')).toBe(46);
  expect(binsOnTask(state)).toEqual({ 600: 75, 1200: 90, 4800: 1 });
});

test('K3: a hidden document earns nothing', () => {
  const ada = writer().ins(1000e3, 0, 'a').visible(1020e3, false).visible(1300e3, true).ins(1310e3, 1, 'b');
  expect(secondsOnTask(replay(timeOnTask, ada.events))).toBe(30);
});

test('K4: what comes late keeps its true distances', () => {
  const start = 1e9;
  let clock = tick(NEW_CLOCK, start + 200, start);
  const seen = [clock.t];
  for (let minute = 1; minute <= 7; minute += 1) {
    clock = tick(clock, start + 8 * 60_000, start + minute * 60_000);
    seen.push(clock.t);
  }
  expect(seen).toEqual(seen.map((_, minute) => start + minute * 60_000 + 200));
  expect(secondsOnTask(keysAt(...seen.map((t) => t / 1000)))).toBe(420);
});

test('a delay that was short only long ago is forgotten after at most 128 events', () => {
  let clock = tick(NEW_CLOCK, 1000, 1000);
  for (let i = 1; i <= 130; i += 1) clock = tick(clock, 1000 + i * 1000 + 500, 1000 + i * 1000);
  expect(clock.t).toBe(1000 + 130_000 + 500);
});

test('nothing lies in the future and time never runs back', () => {
  const ahead = tick(NEW_CLOCK, 5000, 90_000_000);
  expect(ahead.t).toBe(5000);
  expect(tick(ahead, 6000, 89_000_000).t).toBe(5000);
  expect(tick(ahead, 7000).t).toBe(7000);
});

test('bins beyond the newest 288 are summed, none is lost', () => {
  const times = Array.from({ length: 400 }, (_, i) => [600 * i, 600 * i + 10]).flat();
  const state = keysAt(...times);
  const bins = binsOnTask(state);
  expect(Object.keys(bins)).toHaveLength(288);
  const sum = Object.values(bins).reduce((a, b) => a + b, state.older / 1000);
  expect(sum).toBe(secondsOnTask(state));
});
