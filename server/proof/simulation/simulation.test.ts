import { describe, expect, it } from 'vitest';
import { keepOnly, type Plan, planOf } from './plan.ts';
import { PLANTED } from './sabotages.ts';
import { search } from './search.ts';
import { report, shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const SEED = Date.now() % 1_000_000;

describe('the simulation', () => {
  it(`breaks no promise in a hundred runs from seed ${SEED} on`, { timeout: 60_000 }, async () => {
    const { failing, events } = await search({ seed: SEED, seeds: 100 });
    expect(failing, `npm run simulation -- --seed ${failing} --seeds 1`).toBeUndefined();
    expect(events).toBeGreaterThan(1_000);
  });

  it('does the same again for the same seed, to the last step', async () => {
    for (const seed of [3, 15, 107]) {
      const [first, second] = [await simulate(planOf(seed)), await simulate(planOf(seed))];
      expect(second.hash, `seed ${seed}`).toBe(first.hash);
      expect(second.steps).toBe(first.steps);
    }
    expect((await simulate(planOf(1))).hash).not.toBe((await simulate(planOf(2))).hash);
  });

  it('lets no append that failed late be acknowledged after one behind it was refused at once', async () => {
    const { broken, events } = await simulate(LATE_FAILURE);
    expect(broken).toEqual([]);
    expect(events).toBe(15);
  });

  it('gives the timers and the clock back', async () => {
    const before = [setTimeout, setImmediate, performance.now, Math.random];
    await simulate(planOf(1));
    expect([setTimeout, setImmediate, performance.now, Math.random]).toEqual(before);
  });

  it('makes a failing seed smaller, and what is left fails in the same way', {
    timeout: 60_000,
  }, async () => {
    const fault = 'M15 after a failed step the next one runs';
    const { failing } = await search({ seed: 1, seeds: 50, planted: PLANTED[fault] ?? {} });
    const smallest = await shrink(failing ?? 0, PLANTED[fault]);
    if (!smallest) throw new Error('the seed does not fail again');
    const whole = planOf(failing ?? 0);
    expect(smallest.kept.length).toBeLessThanOrEqual(3);
    expect(smallest.kept.length).toBeLessThan(whole.actions.length);
    const again = await simulate(keepOnly(whole, smallest.kept), { planted: PLANTED[fault] ?? {} });
    expect(again.hash).toBe(smallest.outcome.hash);
    expect(again.broken[0]).toContain('fragile.v1');
    expect(report(smallest, fault)).toContain(`--keep '${smallest.kept.join(',')}'`);
  });
});

/** What was left of the run that lost acknowledged events: a disk that fills up while a short queue overflows. */
const LATE_FAILURE: Plan = {
  seed: 31,
  students: 1,
  clients: [0, 0, 0],
  settings: {
    stepCostMs: 0.01,
    sealBytes: 1_000_000,
    groupEntries: 16,
    queueBytes: 1_000,
    burst: 400,
    eventsPerSecond: 40,
    flushEveryMs: 250,
    hotBytes: 0,
  },
  actions: [
    { at: 11_867, do: 'write', client: 0, count: 12, salt: 719_361 },
    { at: 11_874, do: 'disk-full', ms: 1_014 },
  ],
};
