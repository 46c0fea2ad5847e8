/**
 * `npm run simulation -- [--seeds N] [--seed S] [--faults] [--planted NAME] [--keep 0,3,7] [--trace]`: runs the server's core
 * over simulated clients, network, disk, store and clock, seed after seed, and asks after each whether anything acknowledged
 * was lost, anything stored twice, any state not the fold of the archive (delivery.md §16, R17). A failing seed is made
 * smaller and printed; ends with 1 then. `--faults` plants known faults and asks whether they are found; `--keep` runs one
 * seed with these of its actions.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { keepOnly, planOf } from '#server/proof/simulation/plan.ts';
import { PLANTED } from '#server/proof/simulation/sabotages.ts';
import { search } from '#server/proof/simulation/search.ts';
import { report, shrink } from '#server/proof/simulation/shrink.ts';
import { simulate } from '#server/proof/simulation/simulate.ts';

const MOST_SEEDS_A_FAULT = 200;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'boolean', default: false },
    planted: { type: 'string' },
    keep: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const seeds = Number(values.seeds);
const planted = values.planted === undefined ? {} : PLANTED[values.planted];
if (!Number.isInteger(seed) || !(seeds > 0) || !planted) {
  console.error(
    `--seed and --seeds are whole numbers, --planted is one of:\n${Object.keys(PLANTED).join('\n')}`,
  );
  process.exit(64);
}
console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, node ${process.version}`);
process.exitCode = values.keep === undefined ? await runMany(planted) : await runOne(values.keep, planted);

async function runMany(fault: typeof planted): Promise<number> {
  console.log(`seeds ${seed} to ${seed + seeds - 1}`);
  const searched = await search({ seed, seeds, planted: fault ?? {} });
  console.log(`figure simulation.seeds ${searched.seeds} seeds`);
  console.log(`figure simulation.seconds ${searched.seconds} s`);
  console.log(`figure simulation.core-seconds ${searched.coreSeconds} s`);
  if (searched.failing !== undefined) {
    const smallest = await shrink(searched.failing, fault);
    if (smallest) console.log(report(smallest, values.planted));
    return 1;
  }
  return values.faults ? await plantAll() : 0;
}

async function plantAll(): Promise<number> {
  let found = 0;
  for (const [name, fault] of Object.entries(PLANTED)) {
    const { failing, seeds: needed } = await search({ seed, seeds: MOST_SEEDS_A_FAULT, planted: fault });
    console.log(
      `${name}: ${failing === undefined ? 'not found' : `found by seed ${failing}, the ${needed}.`}`,
    );
    if (failing !== undefined) found += 1;
  }
  const all = Object.keys(PLANTED).length;
  console.log(`figure simulation.faults-found ${found} of ${all}`);
  return found === all ? 0 : 1;
}

async function runOne(keep: string, fault: typeof planted): Promise<number> {
  const kept = keep === '' ? [] : keep.split(',').map(Number);
  const plan = keepOnly(planOf(seed), kept);
  const { broken, trace, hash } = await simulate(plan, { planted: fault ?? {}, keepsTrace: values.trace });
  for (const line of trace) console.log(line);
  console.log(`${broken.join('\n') || 'nothing is broken'}\ntrace ${hash}`);
  return broken.length > 0 ? 1 : 0;
}
