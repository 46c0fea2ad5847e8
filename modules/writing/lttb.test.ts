import { expect, test } from 'vitest';
import { lttb } from './lttb.ts';

type Point = readonly [x: number, y: number];
const thin = (points: readonly Point[], count: number) =>
  lttb(
    points,
    count,
    ([x]) => x,
    ([, y]) => y,
  );

test('the points with the largest triangles stay', () => {
  const points: Point[] = [
    [0, 0],
    [1, 0],
    [2, 10],
    [3, 0],
    [4, 1],
    [5, 0],
  ];
  expect(thin(points, 4)).toEqual([
    [0, 0],
    [2, 10],
    [3, 0],
    [5, 0],
  ]);
});

test('as many points stay as asked, first and last among them', () => {
  const points = Array.from({ length: 601 }, (_, i): Point => [i, (i * 37) % 101]);
  for (const count of [3, 7, 300]) {
    const kept = thin(points, count);
    expect(kept).toHaveLength(count);
    expect([kept[0], kept.at(-1)]).toEqual([points[0], points[600]]);
  }
});

test('a short line stays as it is', () => {
  expect(
    thin(
      [
        [0, 1],
        [1, 2],
      ],
      300,
    ),
  ).toEqual([
    [0, 1],
    [1, 2],
  ]);
});
