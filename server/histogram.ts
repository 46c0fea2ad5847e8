/** How often a value fell into each bucket; counted in place, so that a hot path pays a few comparisons. */
export type Histogram = {
  note(value: number): void;
  snapshot(): HistogramCounts;
};

/** `counts[i]` values were above `bounds[i - 1]` and at most `bounds[i]`; the last count is of all above. */
export type HistogramCounts = {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
};

/** Milliseconds, with a bound at each figure that delivery.md §15 and §16 promise. */
export const MS_BOUNDS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000] as const;

/** `bounds` rise. */
export function openHistogram(bounds: readonly number[] = MS_BOUNDS): Histogram {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  return {
    note(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += value;
    },
    snapshot: () => ({ bounds, counts: [...counts], sum }),
  };
}
