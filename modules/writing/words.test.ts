import { expect, test } from 'vitest';
import { text } from '#modules/kit/index.ts';
import { EMPTY_BODY, insertAt, removeAt } from './edit.ts';
import { countWords } from './words.ts';

test.each([
  ["don't", 1],
  ['well-known', 1],
  ['— …', 0],
  ['one two\nthree\u00a04', 4],
  ['a\uFDD0b', 2],
  ['😀 😀', 0],
  ['𞤀𞤣', 1],
  ['', 0],
])('%j has its words counted: %i', (piece, words) => {
  expect(countWords(piece)).toBe(words);
});

test('words are counted right by every edit inside a long run of signs', () => {
  let body = insertAt(EMPTY_BODY, 0, `a${'-'.repeat(3000)}b c`, null);
  expect(body.words).toBe(2);
  body = insertAt(body, 1500, ' ', null);
  expect(body.words).toBe(countWords(text.whole(body.text)));
  body = removeAt(body, 0, 1, null);
  expect(body.words).toBe(countWords(text.whole(body.text)));
  body = removeAt(body, 1499, 1500, null);
  expect(body.words).toBe(2);
});
