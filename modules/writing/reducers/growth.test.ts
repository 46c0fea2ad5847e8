import { expect, test } from 'vitest';
import { replay } from '#modules/kit/testing.ts';
import type { TextLeaf, TextNode } from '#modules/kit/text.ts';
import { writer } from '../writer.testing.ts';
import { growth, pointsOf, sessionsOf } from './growth.ts';

const START = 1_795_168_920_000;
const after = (ada: ReturnType<typeof writer>) => replay(growth, ada.events);
const points = (ada: ReturnType<typeof writer>) =>
  pointsOf(after(ada)).map(([t, ...rest]) => [t - START, ...rest]);

function leavesOf(node: TextNode): readonly TextLeaf[] {
  return 's' in node ? [node] : node.c.flatMap(leavesOf);
}

test('a point holds length, cursor, all that was produced, and active time', () => {
  const ada = writer()
    .ins(START, 0, 'abcdef')
    .del(START + 2000, 1, 4)
    .ins(START + 70_000, 1, 'xy');
  expect(points(ada)).toEqual([
    [0, 6, 6, 6, 0],
    [2000, 3, 1, 6, 2000],
    [70_000, 5, 3, 8, 62_000],
  ]);
});

test('points within a second are one; steady typing still makes a point a second', () => {
  const ada = writer();
  for (let i = 0; i < 20; i += 1) ada.ins(START + i * 300, i, 'a');
  const times = points(ada).map(([t]) => t);
  expect(times).toEqual([900, 2100, 3300, 4500, 5700]);
});

test('a paste, a load and a large deletion keep points of their own', () => {
  const ada = writer()
    .ins(START, 0, 'a')
    .ins(START + 100, 1, 'x'.repeat(60))
    .ins(START + 200, 61, 'b');
  ada
    .del(START + 300, 0, 55)
    .load(START + 400, 'again')
    .ins(START + 500, 5, '!');
  expect(points(ada).map(([t, length]) => [t, length])).toEqual([
    [0, 1],
    [100, 61],
    [200, 62],
    [300, 7],
    [400, 5],
    [500, 6],
  ]);
  expect(after(ada).marks.map(([, , kind]) => kind)).toEqual(['paste', 'load']);
});

test('at 600 points the line is thinned to 300 and goes on; its ends stay', () => {
  const ada = writer();
  for (let i = 0; i < 1500; i += 1) ada.ins(START + i * 2000, i, 'a');
  const kept = points(ada);
  expect(kept.length).toBeGreaterThanOrEqual(300);
  expect(kept.length).toBeLessThanOrEqual(600);
  expect(kept[0]).toEqual([0, 1, 1, 1, 0]);
  expect(kept.at(-1)).toEqual([2998_000, 1500, 1500, 1500, 2998_000]);
  expect(kept.every((point, i) => i === 0 || (point[0] as number) > (kept[i - 1]?.[0] as number))).toBe(true);
  expect(JSON.stringify(after(ada)).length).toBeLessThan(30 * 1024);
});

test('a new point writes the end of a long line anew, and shares the rest', () => {
  const ada = writer();
  for (let i = 0; i < 502; i += 1) ada.ins(START + i * 2000, i, 'a');
  let state = replay(growth, ada.events.slice(0, 400));
  let written = 0;
  for (const event of ada.events.slice(400)) {
    const known = new Set(leavesOf(state.points.$text));
    expect(known.size).toBeGreaterThan(3);
    state = growth.on.edit?.(state, event as never, () => {}) as typeof state;
    const fresh = leavesOf(state.points.$text).filter((leaf) => !known.has(leaf));
    expect(fresh.length).toBeLessThanOrEqual(2);
    written += state.tail.length + fresh.reduce((sum, { s }) => sum + s.length, 0);
  }
  // A leaf of the text alone would be 512 characters and more for each point.
  expect(written / 102).toBeLessThan(256);
});

test('no more than 50 marks are kept', () => {
  const ada = writer();
  for (let i = 0; i < 60; i += 1) ada.load(START + i * 2000, 'x'.repeat(i));
  expect(after(ada).marks).toHaveLength(50);
});

test('thirty minutes without an event end a session, a millisecond less does not', () => {
  const half = 1_800_000;
  const ada = writer()
    .ins(START, 0, 'a')
    .ins(START + half - 1, 1, 'b')
    .key(START + 2 * half - 1);
  expect(sessionsOf(after(ada)).map(([from, to]) => [from - START, to - START])).toEqual([
    [0, half - 1],
    [2 * half - 1, 2 * half - 1],
  ]);
});
