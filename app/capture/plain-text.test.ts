import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChange, changeBetween } from './plain-text.ts';

test('a letter typed among its equals is reported where the caret stands', () => {
  expect(changeBetween('aaaa', 'aaaaa', 2)).toEqual([1, 0, 'a']);
  expect(changeBetween('aaaa', 'aaaaa', 5)).toEqual([4, 0, 'a']);
  expect(changeBetween('aaaa', 'aaa', 1)).toEqual([1, 1, '']);
});

test('a selection replaced by a word is one replacement', () => {
  expect(changeBetween('the old dog', 'the young dog', 9)).toEqual([4, 3, 'young']);
});

test('the same text gives no change', () => {
  expect(changeBetween('same', 'same', 2)).toBeUndefined();
});

test('any change applied to the old text gives the new one, wherever the caret is', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '😀'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, fc.nat(30), (before, after, cursor) => {
      const change = changeBetween(before, after, cursor);
      expect(change ? applyChange(before, change) : before).toBe(after);
    }),
    { numRuns: 2000 },
  );
});
