import { describe, expect, it } from 'vitest';
import { GROWTH_BOX, type GrowthPoint, layoutGrowth, nearestPoint } from './growth-layout.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 20, 10);
const point = (minutes: number, length: number): GrowthPoint => ({
  at: START + minutes * MINUTE,
  length,
  activeSeconds: minutes * 30,
});
const layout = (points: readonly GrowthPoint[], more = {}) =>
  layoutGrowth({ points, pastes: [], sessions: [], axis: 'clock', ...more });
const { left, right, width, top, bottom } = GROWTH_BOX;

describe('a growth curve', () => {
  it('fills its width when nothing is cut and starts at its axis', () => {
    const { xs, ys } = layout([point(0, 0), point(4, 50), point(8, 100)]);
    expect(xs).toEqual([left, (left + width - right) / 2, width - right]);
    expect(ys).toEqual([bottom, (top + bottom) / 2, top]);
  });

  it('is a step: first along the time, then up', () => {
    const { lines, xs, ys } = layout([point(0, 0), point(4, 100)]);
    expect(lines).toEqual([
      `M${xs[0]?.toFixed(1)} ${ys[0]?.toFixed(1)}H${xs[1]?.toFixed(1)}V${ys[1]?.toFixed(1)}`,
    ]);
  });

  it('cuts a gap over five minutes and none of five', () => {
    expect(layout([point(0, 0), point(5, 10)]).lines).toHaveLength(1);
    const cut = layout([point(0, 0), point(4, 9), point(9.01, 10), point(13, 20)]);
    expect(cut.lines).toHaveLength(2);
    expect(cut.breaks).toHaveLength(1);
    expect(cut.links).toHaveLength(1);
  });

  it('gives a cut of a week the same width as a cut of ten minutes', () => {
    const xs = (gap: number) => layout([point(0, 0), point(4, 9), point(4 + gap, 10), point(8 + gap, 20)]).xs;
    expect(xs(10).map(Math.round)).toEqual(xs(7 * 24 * 60).map(Math.round));
  });

  it('stays in its box with a hundred sessions of one change each', () => {
    const many = Array.from({ length: 100 }, (_, i) => point(i * 60, i));
    const { xs } = layout(many);
    expect(Math.max(...xs)).toBeLessThanOrEqual(width - right + 0.01);
    expect(xs.every((x, i) => i === 0 || x > (xs[i - 1] ?? 0))).toBe(true);
  });

  it('draws by active time without cuts', () => {
    const active = layout([point(0, 0), point(100, 10)], { axis: 'active' });
    expect(active.lines).toHaveLength(1);
    expect(active.breaks).toEqual([]);
    expect(active.minutes.length).toBeGreaterThan(2);
  });

  it('marks a paste as high as it is large, where the text stood after it', () => {
    const pastes = [{ at: START + 4 * MINUTE, n: 100 }];
    const { pastes: placed, xs, ys } = layout([point(0, 0), point(4, 200), point(5, 200)], { pastes });
    expect(placed[0]).toMatchObject({ x: xs[1], top: ys[1], height: (bottom - top) / 2, hasLabel: true });
  });

  it('puts a band behind each session that has a point', () => {
    const sessions = [
      { from: START, to: START + 4 * MINUTE },
      { from: START + 9 * MINUTE, to: START + 9 * MINUTE },
    ];
    const { bands, xs } = layout([point(0, 0), point(4, 10)], { sessions });
    expect(bands).toEqual([{ ...sessions[0], x: xs[0], width: (xs[1] ?? 0) - (xs[0] ?? 0) }]);
  });

  it('labels only sessions that leave each other room', () => {
    const points = Array.from({ length: 60 }, (_, i) => point(i * 60, i));
    const sessions = points.map(({ at }) => ({ from: at, to: at }));
    const { labels } = layout(points, { sessions });
    expect(labels.length).toBeGreaterThan(2);
    expect(labels.every(({ x }, i) => i === 0 || x - (labels[i - 1]?.x ?? 0) >= 80)).toBe(true);
  });

  it('finds the nearest point, and none without points', () => {
    expect(nearestPoint([10, 20, 40], 31)).toBe(2);
    expect(nearestPoint([10, 20, 40], 29)).toBe(1);
    expect(nearestPoint([], 5)).toBe(-1);
  });
});
