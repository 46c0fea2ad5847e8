import { expect, test } from 'vitest';
import { replay } from '#modules/kit/testing.ts';
import { writer } from '../writer.testing.ts';
import { pulse } from './pulse.ts';

/** A whole half minute, so that times in a test count from the begin of a bin. */
const START = 30_000 * 60_000_000;
const after = (ada: ReturnType<typeof writer>) => replay(pulse, ada.events);
const closed = (bins: string) => bins.split(';').map((bin) => bin.split(' ').map(Number));

test('half minutes hold what was added, removed and won in words', () => {
  const ada = writer()
    .ins(START, 0, 'one two ')
    .ins(START + 1000, 8, 'three')
    .del(START + 2000, 3, 7);
  expect(after(ada).bin).toEqual([13, 4, 0, 2, 2000]);
  expect(after(ada)).toMatchObject({
    binAt: START,
    wroteAt: START + 2000,
    insAt: START + 1000,
    startedAt: START,
  });
});

test('bins close in a row without a hole, 30 at most', () => {
  const ada = writer()
    .ins(START, 0, 'a')
    .ins(START + 95_000, 1, 'bc');
  const { bins, bin, binAt } = after(ada);
  expect(binAt).toBe(START + 90_000);
  expect(closed(bins).map(([added]) => added)).toEqual([1, 0, 0]);
  expect(bin[0]).toBe(2);
  const later = after(ada.ins(START + 40 * 30_000, 3, 'd'));
  expect(later.bins).toBe('');
});

test('a bin that is 29 half minutes old is still there, and the next one moves it out in its turn', () => {
  const ada = writer()
    .ins(START, 0, 'a')
    .ins(START + 30 * 30_000, 1, 'b');
  expect(closed(after(ada).bins)).toHaveLength(30);
  expect(closed(after(ada).bins)[0]?.[0]).toBe(1);
  const { bins } = after(ada.ins(START + 31 * 30_000, 2, 'c'));
  expect(closed(bins)).toHaveLength(30);
  expect(closed(bins)[0]?.[0]).toBe(0);
});

test('active time goes into the half minutes in which it passed, 60 s of a pause at most', () => {
  const ada = writer()
    .ins(START + 20_000, 0, 'a')
    .ins(START + 200_000, 1, 'b');
  const { bins, bin } = after(ada);
  expect(closed(bins).map((one) => one[4])).toEqual([10, 30, 20, 0, 0, 0]);
  expect(bin[4]).toBe(0);
});

test('a hidden document earns no active time', () => {
  const ada = writer()
    .ins(START, 0, 'a')
    .visible(START + 5000, false)
    .visible(START + 20_000, true);
  expect(after(ada.key(START + 21_000)).bin[4]).toBe(6000);
});

test('A1: what is inserted more than five characters before the edge is away from it', () => {
  const ada = writer()
    .ins(START, 0, 'The cat ')
    .ins(START + 400, 8, 'sat')
    .del(START + 900, 8, 11);
  ada
    .ins(START + 1300, 8, 'slept')
    .ins(START + 4000, 13, ' well')
    .ins(START + 4500, 0, 'Yes. ')
    .ins(START + 9000, 5, 'x');
  expect(after(ada).bin.slice(0, 3)).toEqual([27, 3, 6]);
});

test('A2, A3: mending a typing error at once is not away from the edge; later it is', () => {
  const fix = (t: number) =>
    after(
      writer()
        .ins(START, 0, 'helxo brave world')
        .del(START + 5000, 3, 4)
        .ins(START + t, 3, 'l'),
    );
  expect(fix(5400).bin[2]).toBe(0);
  expect(fix(7400).bin[2]).toBe(1);
});

test('A4: five characters before the edge are not away, six are', () => {
  const ada = writer()
    .ins(START, 0, 'abcdefghij')
    .ins(START + 300, 5, 'X')
    .ins(START + 600, 4, 'Y');
  expect(after(ada).bin[2]).toBe(1);
});

test('A5: spaces behind the text do not move its edge', () => {
  const ada = writer()
    .ins(START, 0, 'one two')
    .ins(START + 500, 7, '   ');
  expect(after(ada).edge).toBe(7);
  expect(after(ada.ins(START + 900, 10, 'x'))).toMatchObject({ edge: 11 });
  expect(after(ada).bin[2]).toBe(0);
});

test('deleting three characters and inserting there within 10 s is a cycle', () => {
  const cycles = (t: number, pos: number, size: number) =>
    after(
      writer()
        .ins(START, 0, 'x'.repeat(40))
        .del(START + 1000, 20, 20 + size)
        .ins(START + t, pos, 'y'),
    ).cycles;
  expect(cycles(11_000, 25, 3)).toEqual([[START + 11_000, 25]]);
  expect(cycles(11_001, 20, 3)).toEqual([]);
  expect(cycles(2000, 26, 3)).toEqual([]);
  expect(cycles(2000, 20, 2)).toEqual([]);
});

test('backspaces one after another are one deletion of a cycle', () => {
  const ada = writer()
    .ins(START, 0, 'abcdef')
    .del(START + 100, 5, 6)
    .del(START + 200, 4, 5)
    .del(START + 300, 3, 4);
  expect(after(ada.ins(START + 400, 3, 'x')).cycles).toHaveLength(1);
  expect(after(ada.ins(START + 500, 4, 'y')).cycles).toHaveLength(1);
});

test('a loaded text is not written: nobody has started by it', () => {
  const state = after(writer().load(START, 'A text that was there before.'));
  expect(state).toMatchObject({ startedAt: null, wroteAt: null, bin: [0, 0, 0, 0, 0], words: 6 });
});

test('after six hours without a signal a new day begins, and its writing starts anew', () => {
  const night = START + 7 * 3_600_000;
  const ada = writer().ins(START, 0, 'a').key(night);
  expect(after(ada)).toMatchObject({ firstAt: night, startedAt: null });
  expect(after(ada.ins(night + 5000, 1, 'b'))).toMatchObject({ firstAt: night, startedAt: night + 5000 });
});

test('focus follows keys, clicks and the page', () => {
  const ada = writer().focus(START, 'focus');
  expect(after(ada).focused).toBe(true);
  expect(after(ada.focus(START + 1, 'blur')).focused).toBe(false);
  expect(after(ada.key(START + 2)).focused).toBe(true);
  expect(after(ada.visible(START + 3, false)).focused).toBe(false);
});

test('words of another document are not won by going there', () => {
  const d1 = writer('d1').ins(START, 0, 'one two three');
  const d2 = writer('d2')
    .load(START - 5000, 'many words were here before')
    .ins(START + 1000, 27, ' x');
  const events = [...d1.events, ...d2.events].sort((a, b) => a.at - b.at);
  expect(replay(pulse, events).bin[3]).toBe(3);
});
