import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Text, TextNode } from './text.ts';
import * as text from './text.ts';

type Edit =
  | { readonly kind: 'insert'; readonly at: number; readonly value: string }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number };

const book = 'A whale 🐋 swam by. Naïve readers — 𝒷𝑜𝑜𝓀 — waited. '.repeat(800);
const characters = fc.string({ unit: 'binary', maxLength: 40 });
const pages = fc.nat(6000).map((n) => book.slice(0, n));
const place = fc.double({ min: 0, max: 1, noNaN: true });

/** Places are shares of the text as it stands then; counts reach from one character to more than all. */
const edit: fc.Arbitrary<(now: number) => Edit> = fc.oneof(
  fc.tuple(place, fc.oneof({ weight: 3, arbitrary: characters }, pages)).map(
    ([share, value]) =>
      (now: number): Edit => ({ kind: 'insert', at: Math.round(share * now), value }),
  ),
  fc.tuple(place, fc.oneof(fc.nat(3), fc.nat(3000), fc.nat(60_000))).map(
    ([share, count]) =>
      (now: number): Edit => ({ kind: 'remove', at: Math.round(share * now), count }),
  ),
);
const history = fc.tuple(fc.nat(40_000), fc.array(edit, { maxLength: 60 }));

function applied(now: Text, change: Edit): Text {
  return change.kind === 'insert'
    ? text.insert(now, change.at, change.value)
    : text.remove(now, change.at, change.at + change.count);
}

function appliedToString(now: string, change: Edit): string {
  return change.kind === 'insert'
    ? now.slice(0, change.at) + change.value + now.slice(change.at)
    : now.slice(0, change.at) + now.slice(change.at + change.count);
}

function nodesOf(node: TextNode, into = new Set<TextNode>()): Set<TextNode> {
  into.add(node);
  if ('c' in node) for (const child of node.c) nodesOf(child, into);
  return into;
}

function depthOf(node: TextNode): number {
  return 'c' in node ? 1 + depthOf(node.c[0] as TextNode) : 0;
}

/** What must hold of every node: sizes are true, all leaves lie equally deep, none but the root is small or empty. */
function expectSound(node: TextNode, isRoot = true): void {
  if ('s' in node) {
    expect(node.s.length).toBeLessThanOrEqual(1024);
    if (!isRoot) expect(node.s.length).toBeGreaterThanOrEqual(256);
    return;
  }
  expect(Object.keys(node)).toEqual(['n', 'c']);
  expect(node.n).toBe(node.c.reduce((sum, child) => sum + ('s' in child ? child.s.length : child.n), 0));
  expect(node.c.length).toBeLessThanOrEqual(32);
  expect(node.c.length).toBeGreaterThanOrEqual(isRoot ? 2 : 8);
  expect(new Set(node.c.map(depthOf)).size).toBe(1);
  for (const child of node.c) expectSound(child, false);
}

describe('a text', () => {
  test('reads as the string that the same edits make, and stays sound', () => {
    fc.assert(
      fc.property(history, ([size, edits]) => {
        let plain = book.slice(0, size);
        let now = text.of(plain);
        for (const make of edits) {
          const change = make(plain.length);
          plain = appliedToString(plain, change);
          now = applied(now, change);
          expect(text.length(now)).toBe(plain.length);
          expectSound(now.$text);
        }
        expect(text.whole(now)).toBe(plain);
      }),
      { numRuns: 60 },
    );
  });

  test('gives any piece as the string does', () => {
    fc.assert(
      fc.property(fc.nat(book.length), fc.nat(book.length), fc.nat(book.length), (size, a, b) => {
        const plain = book.slice(0, size);
        expect(text.slice(text.of(plain), Math.min(a, b), Math.max(a, b))).toBe(
          plain.slice(Math.min(a, b), Math.max(a, b)),
        );
      }),
    );
  });

  test('goes on from its JSON as it would have gone on itself, byte for byte', () => {
    fc.assert(
      fc.property(history, ([size, edits]) => {
        let now = text.of(book.slice(0, size));
        let copy = now;
        for (const make of edits) {
          const change = make(text.length(now));
          now = applied(now, change);
          copy = applied(JSON.parse(JSON.stringify(copy)), change);
        }
        expect(JSON.stringify(copy)).toBe(JSON.stringify(now));
      }),
      { numRuns: 40 },
    );
  });

  test('reads and goes on as its JSON would, however reads and edits of several texts take turns', () => {
    const near = fc.integer({ min: -20, max: 20 });
    const turn = fc.tuple(fc.nat(2), near, fc.constantFrom('read', 'insert', 'remove', 'jump'), place);
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 200 }), (turns) => {
        const texts = [300, 5000, 40_000].map((size) => text.of(book.slice(0, size)));
        const plains = [300, 5000, 40_000].map((size) => book.slice(0, size));
        let at = 0;
        for (const [which, by, act, share] of turns) {
          const now = texts[which] as Text;
          const plain = plains[which] as string;
          at = Math.min(
            Math.max(act === 'jump' ? Math.floor(share * plain.length) : at + by, 0),
            plain.length,
          );
          expect(text.slice(now, at - 9, at + 9)).toBe(plain.slice(Math.max(at - 9, 0), at + 9));
          if (act !== 'insert' && act !== 'remove') continue;
          const change: Edit =
            act === 'insert' ? { kind: act, at, value: 'words' } : { kind: act, at, count: Math.abs(by) };
          const copy: Text = JSON.parse(JSON.stringify(now));
          texts[which] = applied(now, change);
          plains[which] = appliedToString(plain, change);
          expect(JSON.stringify(texts[which])).toBe(JSON.stringify(applied(copy, change)));
        }
        expect(texts.map(text.whole)).toEqual(plains);
      }),
      { numRuns: 60 },
    );
  });

  test('takes an insertion between two leaves into the left one, wherever it was read before', () => {
    const now = text.of('x'.repeat(20_000));
    const [left] = 'c' in now.$text ? now.$text.c : [];
    const border = left && 's' in left ? left.s.length : 0;
    expect(border).toBeGreaterThan(0);
    for (const read of [0, border - 1, border, border + 1, 19_999]) {
      expect(text.slice(now, read, read + 1)).toBe('x');
      const next = text.insert(now, border, 'y').$text;
      expect('c' in next && 's' in (next.c[0] as TextNode)).toBe(true);
      expect('c' in next ? next.c[0] : null).toEqual({ s: `${'x'.repeat(border)}y` });
    }
  });

  test('reads over the end of a leaf that an edit has just made longer or shorter', () => {
    let now = text.of(book);
    let plain = book.slice();
    const border =
      'c' in now.$text ? text.length(now) - text.length({ $text: now.$text.c.at(-1) as TextNode }) : 0;
    expect(border).toBeGreaterThan(0);
    for (const change of [
      { kind: 'remove', at: border - 30, count: 3 },
      { kind: 'insert', at: border - 30, value: 'more words' },
    ] as const) {
      now = applied(now, change);
      plain = appliedToString(plain, change);
      for (let from = border - 40; from < border + 20; from += 1)
        expect(text.slice(now, from, from + 12)).toBe(plain.slice(from, from + 12));
    }
  });

  test('keeps half a surrogate pair through JSON, wherever a chunk is cut', () => {
    const fish = '🐋'.repeat(20_000);
    for (let at = 0; at < 9; at += 1) {
      const now = text.insert(text.of(`${'a'.repeat(at)}${fish}`), at + 4001, '\ud83d');
      expect(text.whole(JSON.parse(JSON.stringify(now)))).toBe(text.whole(now));
    }
  });

  test('leaves the text before an edit as it was', () => {
    const before = text.of(book);
    const bytes = JSON.stringify(before);
    text.remove(text.insert(before, 20_000, 'more'), 0, 30_000);
    expect(JSON.stringify(before)).toBe(bytes);
  });
});

describe('an edit', () => {
  test('shares every node but the few on its way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.array(fc.tuple(fc.boolean(), place), { minLength: 1, maxLength: 20 }),
        (size, edits) => {
          let now = text.of('x'.repeat(size));
          for (const [isInsert, share] of edits) {
            const at = Math.floor(share * text.length(now));
            const next = isInsert ? text.insert(now, at, 'y') : text.remove(now, at, at + 1);
            const known = nodesOf(now.$text);
            const fresh = [...nodesOf(next.$text)].filter((node) => !known.has(node));
            // Each level on the way anew, twice where a node was cut, and one level more where the root was.
            expect(fresh.length).toBeLessThanOrEqual(2 * (depthOf(now.$text) + 1) + 1);
            now = next;
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('makes a tree that is no deeper than three levels for a million characters', () => {
    expect(depthOf(text.of('x'.repeat(1_000_000)).$text)).toBeLessThanOrEqual(3);
  });

  test('leaves a tree of few nodes when almost everything was removed a character at a time', () => {
    let now = text.of('x'.repeat(60_000));
    for (let turn = 0; text.length(now) > 500; turn += 1) {
      const at = (turn * 7919) % (text.length(now) - 1);
      now = text.remove(now, at, at + 1);
    }
    expect(nodesOf(now.$text).size).toBe(1);
  });

  test('that changes nothing gives the same text back', () => {
    const now = text.of('words');
    expect(text.insert(now, 2, '')).toBe(now);
    expect(text.remove(now, 2, 2)).toBe(now);
    expect(text.remove(now, 3, 1)).toBe(now);
    expect(text.remove(now, 5, 9)).toBe(now);
  });

  test('outside the text happens at its nearer end', () => {
    const now = text.of('words');
    expect(text.whole(text.insert(now, 99, '!'))).toBe('words!');
    expect(text.whole(text.insert(now, -3, '!'))).toBe('!words');
    expect(text.whole(text.remove(now, -3, 2))).toBe('rds');
    expect(text.whole(text.remove(now, 2, 99))).toBe('wo');
    expect(text.slice(now, -3, 99)).toBe('words');
  });
});

test('an empty text is a text, of one empty leaf', () => {
  expect(text.of('')).toEqual({ $text: { s: '' } });
  expect(text.remove(text.of('abc'), 0, 3)).toEqual({ $text: { s: '' } });
  expect(text.whole(text.insert(text.of(''), 0, 'a'))).toBe('a');
});

test('a text is told from other state by its one field', () => {
  expect(text.isText(text.of('a'))).toBe(true);
  for (const other of [null, undefined, 'a', 3, {}, [], { s: 'a' }]) expect(text.isText(other)).toBe(false);
});

test('a chunk does not keep the string alive that it was cut from', () => {
  // Each book is made anew, so that only the chunks kept of it could hold it; together they are 80 MB.
  const used = () => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  setFlagsFromString('--expose-gc');
  globalThis.gc ??= runInNewContext('gc');
  const before = used();
  const kept: TextNode[] = [];
  for (let turn = 0; turn < 40; turn += 1) {
    let node = text.of(`${turn}${book}`.padEnd(1_000_000, 'abcdefghij').toUpperCase()).$text;
    while ('c' in node) node = node.c[turn % node.c.length] as TextNode;
    kept.push(node);
    const paste = `${turn}${book}`.padEnd(1_000_000, 'abcdefghij').toUpperCase().slice(500, 900);
    kept.push(text.insert(text.of(''), 0, paste).$text, text.insert(text.of('a'), 1, paste).$text);
  }
  expect(used() - before).toBeLessThan(10_000_000);
  expect(kept).toHaveLength(120);
});
