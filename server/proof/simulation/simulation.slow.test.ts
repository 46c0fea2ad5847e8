import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';
import { PLANTED } from './sabotages.ts';
import { search } from './search.ts';
import { report, shrink } from './shrink.ts';

const SEEDS = 2_000;
const MOST_SEEDS_A_FAULT = 200;
const SEED = Date.now() % 1_000_000;

describe('the simulation', () => {
  it(`breaks no promise in ${SEEDS} runs from seed ${SEED} on`, { timeout: 300_000 }, async () => {
    const { failing, seeds, seconds, coreSeconds } = await search({ seed: SEED, seeds: SEEDS });
    console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`);
    console.log(`figure simulation.seeds ${seeds} seeds`);
    console.log(`figure simulation.seconds ${seconds} s`);
    console.log(`figure simulation.core-seconds ${coreSeconds} s`);
    const smallest = failing === undefined ? undefined : await shrink(failing);
    expect(smallest && report(smallest)).toBeUndefined();
  });

  it(`finds every planted fault within ${MOST_SEEDS_A_FAULT} runs`, { timeout: 300_000 }, async () => {
    const missed: string[] = [];
    for (const [name, planted] of Object.entries(PLANTED)) {
      // Always the same seeds: whether a fault is found must not be left to chance.
      const { failing, seeds } = await search({ seed: 1, seeds: MOST_SEEDS_A_FAULT, planted });
      console.log(`${name}: ${failing === undefined ? 'not found' : `found in run ${seeds}`}`);
      if (failing === undefined) missed.push(name);
    }
    const all = Object.keys(PLANTED).length;
    console.log(`figure simulation.faults-found ${all - missed.length} of ${all}`);
    expect(missed).toEqual([]);
  });
});
