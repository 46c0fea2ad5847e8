import { describe, expect, it } from 'vitest';
import { layoutLine } from './line.tsx';

const MINUTE = 60_000;
const series = (...values: readonly number[]) => values.map((value, i) => ({ at: i * MINUTE, value }));
const box = { width: 1168, height: 290 };

describe('a line over time', () => {
  it('ends at its newest point, above the baseline', () => {
    const { end, base, right } = layoutLine(series(0, 50, 100), box);
    expect(end?.x).toBe(right);
    expect(end?.y).toBeLessThan(base);
  });

  it('lies on the baseline when nothing happened, without numbers that are none', () => {
    const { line, end, base } = layoutLine(series(0, 0), box);
    expect(end?.y).toBe(base);
    expect(line).not.toContain('NaN');
  });

  it('draws a gap as a gap', () => {
    expect(layoutLine(series(1, Number.NaN, 3, 4), box).line.match(/M/g)).toHaveLength(2);
  });

  it('draws nothing of no points', () => {
    expect(layoutLine([], box)).toMatchObject({ line: '', area: '', end: null });
  });
});
