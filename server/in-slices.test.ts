import { describe, expect, it } from 'vitest';
import { inSlices } from './in-slices.ts';

const numbers = Array.from({ length: 200 }, (_, i) => i);

function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

describe('work in slices', () => {
  it('does all of it, in order', async () => {
    const done: number[] = [];
    await inSlices(numbers, (one) => done.push(one));
    expect(done).toEqual(numbers);
  });

  it('lets the loop turn while there is much to do', async () => {
    let turns = 0;
    const tick = () => {
      turns += 1;
      ticking = setImmediate(tick);
    };
    let ticking = setImmediate(tick);
    await inSlices(numbers, () => busy(0.2));
    clearImmediate(ticking);
    expect(turns).toBeGreaterThan(10);
  });

  it('says how long the work was', async () => {
    expect(await inSlices(numbers.slice(0, 20), () => busy(1))).toBeGreaterThanOrEqual(20);
    expect(await inSlices([], busy)).toBeLessThan(5);
  });
});
