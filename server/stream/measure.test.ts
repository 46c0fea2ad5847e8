import { expect, test } from 'vitest';
import { text } from '#modules/kit/index.ts';
import { growth, type Size, sizeOf } from './measure.ts';
import { randomOf } from './testing.ts';

const SEED = 20_261_121;
const NAMES = ['a', 'bb', 'ccc', 'at', 'list', 'named'];

/** Any state: records that lose, gain and reorder names, lists that grow, shrink and slide, texts, all that JSON holds. */
function anyValue(random: (below: number) => number, depth: number): unknown {
  const kinds = depth > 3 ? 5 : 8;
  switch (random(kinds)) {
    case 0:
      return random(1e6) / 7;
    case 1:
      return 'x'.repeat(random(30));
    case 2:
      return random(2) === 0;
    case 3:
      return null;
    case 4:
      return text.of('word '.repeat(random(2000)));
    case 5:
      return Array.from({ length: random(12) }, () => anyValue(random, depth + 1));
    default: {
      const names = NAMES.filter(() => random(2) === 0);
      if (random(2) === 0) names.reverse();
      return Object.fromEntries(
        names.map((name) => [name, random(6) === 0 ? undefined : anyValue(random, depth + 1)]),
      );
    }
  }
}

/** Another value that shares parts with the one before, as the next state of a reducer does. */
function anyNext(random: (below: number) => number, value: unknown, depth: number): unknown {
  if (random(4) === 0) return value;
  if (typeof value !== 'object' || value === null || '$text' in value || random(5) === 0)
    return anyValue(random, depth);
  if (Array.isArray(value)) return [...value.slice(random(3)), anyValue(random, depth + 1)];
  const kept = Object.entries(value).filter(() => random(5) > 0);
  const next = kept.map(([name, inner]) => [name, inner && anyNext(random, inner, depth + 1)]);
  if (random(3) === 0) next.push([NAMES[random(NAMES.length)], anyValue(random, depth + 1)]);
  return Object.fromEntries(next);
}

const minus = (a: Size, b: Size): Size => ({ chars: a.chars - b.chars, text: a.text - b.text });

test(`growth is the difference of two sizes, whatever the two share (seed ${SEED})`, () => {
  const random = randomOf(SEED);
  for (let i = 0; i < 5_000; i++) {
    const before = anyValue(random, 0);
    const after = anyNext(random, before, 0);
    expect(growth(after, before), JSON.stringify({ before, after })).toEqual(
      minus(sizeOf(after), sizeOf(before)),
    );
  }
});

test('what JSON cannot hold is found wherever it came in', () => {
  const from = { at: 1, name: 'a', list: [1, 2] };
  for (const at of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, new Date(0)])
    expect(() => growth({ ...from, at }, from)).toThrow(/holds/);
  expect(() => growth({ ...from, other: Number.NaN }, from)).toThrow(/holds/);
  expect(() => growth({ ...from, list: [1, Number.NaN] }, from)).toThrow(/holds/);
  expect(() => growth({ ...from, list: [1, undefined] }, from)).toThrow(/holds/);
});
