import { describe, expect, it } from 'vitest';
import { layoutSparkline } from './sparkline.tsx';

describe('a sparkline', () => {
  it('draws a quarter of the most at half the height', () => {
    const { added } = layoutSparkline({
      bars: [
        [100, 0],
        [25, 0],
      ],
      most: 100,
    });
    expect(added).toBe('M0 15v-14.0h3V15zM4 15v-7.0h3V15z');
  });

  it('draws what was removed downwards on the same scale, cut at its own height', () => {
    const { removed } = layoutSparkline({
      bars: [
        [0, 25],
        [0, 100],
      ],
      most: 100,
    });
    expect(removed).toBe('M0 16v7.0h3V16zM4 16v8.0h3V16z');
  });

  it('keeps the smallest change visible and draws none where there was none', () => {
    expect(
      layoutSparkline({
        bars: [
          [1, 0],
          [0, 0],
        ],
        most: 10_000,
      }).added,
    ).toBe('M0 15v-1.5h3V15z');
  });

  it('never leaves its box, however much is added', () => {
    expect(layoutSparkline({ bars: [[900, 0]], most: 100 }).added).toContain('v-14.0');
  });

  it('hatches from where the signal ended and draws no bar there', () => {
    const drawn = layoutSparkline({
      bars: [
        [4, 0],
        [4, 0],
        [4, 0],
      ],
      most: 4,
      silentFrom: 1,
    });
    expect(drawn.hatch).toEqual({ x: 4, width: 8 });
    expect(drawn.added).not.toContain('M4 ');
  });

  it('leaves out marks that lie before its first bar', () => {
    expect(
      layoutSparkline({
        bars: [
          [0, 0],
          [0, 0],
        ],
        most: 1,
        dots: [-3, 1],
      }).dots,
    ).toEqual([5.5]);
  });
});
