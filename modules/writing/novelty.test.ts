import { expect, test } from 'vitest';
import { fewGramsOf, gramsOf, near, noveltyOf } from './novelty.ts';

const LINE = 'the cat sat on the mat and slept';

test('the share of runs of five words that stand nowhere else is new', () => {
  expect(noveltyOf('the cat sat on the mat today', [LINE])).toBeCloseTo(1 / 3);
  expect(noveltyOf(LINE, [LINE])).toBe(0);
  expect(noveltyOf(LINE, ['', 'another text of words that are not the same'])).toBe(1);
});

test('case and white space make no difference, signs without letters are no words', () => {
  expect(noveltyOf('The  CAT\nsat — on the mat', [LINE])).toBe(0);
});

test('under five words the whole text must stand there', () => {
  expect(noveltyOf(' cat sat on ', [LINE])).toBe(0);
  expect(noveltyOf('cat sat under', [LINE])).toBe(1);
});

test('white space alone is not taken for text that was there', () => {
  expect(noveltyOf(' '.repeat(30), [LINE])).toBe(1);
});

test('a run of five words is known wherever it begins', () => {
  expect(gramsOf(LINE)).toHaveLength(4);
  expect(gramsOf('on the mat and slept')[0]).toBe(gramsOf(LINE)[3]);
  expect(gramsOf('four words are few')).toEqual([]);
});

test('at most 16 hashes are kept, smallest first, each once', () => {
  const many = Array.from({ length: 100 }, (_, i) => `word${i}`).join(' ');
  const few = fewGramsOf(`${many} ${many}`);
  expect(few).toHaveLength(16);
  expect(few).toEqual([...new Set(few)].sort((a, b) => a - b));
});

test('many insertions in one event look less far around themselves', () => {
  expect(near(50_000, 100_000, 0)).toEqual([17_232, 82_768]);
  expect(near(50_000, 100_000, 16)).toEqual([48_976, 51_024]);
  expect(near(10, 20, 0)).toEqual([0, 20]);
});
