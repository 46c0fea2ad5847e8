/**
 * `npm run mutants [-- --only M7,H3 | --all | --sample N] [--seed S]`: sabotages the program one line at a time, in a copy
 * of the tree, and asks whether a test notices (delivery.md §16, access.md §11). Without a choice a tenth of the mutants,
 * another tenth each day; the seed says which. Ends with 1 where one survives, or where its line is no longer found.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Choice, choose } from './mutants/choose.ts';
import { type Hunted, hunt } from './mutants/hunt.ts';
import { MUTANTS } from './mutants/list.ts';

const TENTH = Math.ceil(MUTANTS.length / 10);
const today = Math.floor(Date.now() / 86_400_000);

/** `--sample` may stand alone. */
function choiceOf(given: readonly string[]): Choice {
  const args = given.flatMap((arg, i) =>
    arg === '--sample' && !/^\d+$/.test(given[i + 1] ?? '') ? [arg, String(TENTH)] : [arg],
  );
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      all: { type: 'boolean', default: false },
      sample: { type: 'string', default: String(TENTH) },
      seed: { type: 'string', default: String(today) },
    },
  });
  const [sample, seed] = [Number(values.sample), Number(values.seed)];
  if (!(sample >= 1) || !(seed >= 0)) throw new Error('--sample and --seed are numbers');
  return { isAll: values.all, sample, seed, ...(values.only ? { only: values.only.split(',') } : {}) };
}

function print({ mutant, verdict, seconds }: Hunted): void {
  const { id, sabotage } = mutant;
  const took = `(${seconds.toFixed(1)} s)`;
  if (verdict.end === 'killed') console.log(`${id.padEnd(5)} killed by ${verdict.by} ${took}`);
  else if (verdict.end === 'survived') console.log(`${id.padEnd(5)} SURVIVED ${took}: ${sabotage}`);
  else console.log(`${id.padEnd(5)} FAILED ${took}: ${verdict.why}`);
}

// What was begun goes with us: copies and tests.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const choice = choiceOf(process.argv.slice(2));
const chosen = choose(MUTANTS, choice);
console.log(`seed ${choice.seed}: ${chosen.length} of ${MUTANTS.length} mutants`);
const root = join(import.meta.dirname, '..', '..');
const hunted = await hunt({ root, mutants: chosen, log: console.log, onEnd: print });
const count = (end: Hunted['verdict']['end']) => hunted.filter(({ verdict }) => verdict.end === end).length;
console.log(`figure mutants.total ${hunted.length} mutants`);
console.log(`figure mutants.survived ${count('survived')} mutants`);
console.log(`${count('killed')} passed, ${hunted.length - count('killed')} failed`);
process.exit(count('killed') === hunted.length ? 0 : 1);
