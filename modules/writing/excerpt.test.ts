import { expect, test } from 'vitest';
import { excerptOf } from './excerpt.ts';

const WORDS = Array.from({ length: 40 }, (_, i) => `word${String(i).padStart(2, '0')}`).join(' ');

function rangeAt(text: string, cursor: number) {
  const { before, after } = excerptOf(text, cursor);
  expect(before + after).toBe(text.slice(cursor - before.length, cursor + after.length));
  return [cursor - before.length, cursor + after.length];
}

test.each([
  [140, [70, 174]],
  [0, [0, 104]],
  [279, [175, 279]],
])('an excerpt around %i keeps whole words', (cursor, range) => {
  expect(rangeAt(WORDS, cursor)).toEqual(range);
});

test('a text without a word edge nearby is cut where it is', () => {
  expect(rangeAt('a'.repeat(300), 150)).toEqual([83, 183]);
});

test('no surrogate pair is cut', () => {
  const text = `a${'😀'.repeat(200)}`;
  for (let cursor = 1; cursor < text.length; cursor += 2) {
    const { before, after } = excerptOf(text, cursor);
    expect(before + after).not.toMatch(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/);
  }
});

test('an empty text has an empty excerpt, and a cursor beyond a text stands at its end', () => {
  expect(excerptOf('', 0)).toEqual({ before: '', after: '' });
  expect(excerptOf('short', 99)).toEqual({ before: 'short', after: '' });
});
