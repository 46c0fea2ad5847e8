import { expect, test } from 'vitest';
import { choose } from './choose.ts';
import { type Mutant, sabotaged } from './mutant.ts';

const mutant = (id: string, more: Partial<Mutant> = {}): Mutant => ({
  id,
  sabotage: 'the line is wrong',
  file: 'a.ts',
  pattern: 'one',
  replacement: 'two',
  tests: ['a.test.ts'],
  ...more,
});
const all = Array.from({ length: 30 }, (_, i) => mutant(`H${i}`));

test('ten days of samples meet every quick mutant once, and no slow one', () => {
  const more = [mutant('H99', { isSlow: true }), ...all];
  const days = Array.from({ length: 10 }, (_, day) =>
    choose(more, { isAll: false, sample: 3, seed: 700 + day }),
  );
  expect(days.flat().toSorted(byId)).toEqual(all.toSorted(byId));
  expect(Math.max(...days.map((day) => day.length))).toBe(3);
});

function byId(a: Mutant, b: Mutant): number {
  return a.id < b.id ? -1 : 1;
}

test('a name means all its letters, and an unknown one is refused', () => {
  const some = [mutant('M5a'), mutant('M5b'), mutant('M50')];
  const ids = (only: string[]) =>
    choose(some, { only, isAll: false, sample: 1, seed: 0 }).map(({ id }) => id);
  expect(ids(['M5'])).toEqual(['M5a', 'M5b']);
  expect(ids(['M5b', 'M50'])).toEqual(['M5b', 'M50']);
  expect(() => ids(['M6'])).toThrow('unknown mutant: M6');
});

test('a sabotage whose line is not there, or there twice, is refused by its name', () => {
  const wrong = /M1 finds its line \d times in a\.ts, not once/;
  expect(sabotaged('one three', mutant('M1'))).toBe('two three');
  expect(() => sabotaged('three', mutant('M1'))).toThrow(wrong);
  expect(() => sabotaged('one one', mutant('M1'))).toThrow(wrong);
  expect(() => sabotaged('one one', mutant('M1', { pattern: /o(n)e/ }))).toThrow(wrong);
  expect(sabotaged('$ one', mutant('M1', { pattern: /o(n)e/, replacement: '<$1>' }))).toBe('$ <n>');
});
