import { keepOnly, type Plan, planOf } from './plan.ts';
import type { Planted } from './server-process.ts';
import { type Outcome, simulate } from './simulate.ts';

/** The smallest plan that was found to fail: `kept` are places in the seed's list of actions. */
export type Smallest = { readonly plan: Plan; readonly kept: readonly number[]; readonly outcome: Outcome };

/**
 * Leaves out as many actions of a failing seed as it can while something still breaks: halves first, then ever smaller parts
 * (delta debugging: Zeller and Hildebrandt, 2002). Undefined where the seed does not fail.
 */
export async function shrink(
  seed: number,
  planted: Planted = {},
  mostRuns = 400,
): Promise<Smallest | undefined> {
  const whole = planOf(seed);
  let runs = 0;
  const failing = async (kept: readonly number[]): Promise<Smallest | undefined> => {
    runs += 1;
    const plan = keepOnly(whole, kept);
    const outcome = await simulate(plan, { planted });
    return outcome.broken.length > 0 ? { plan, kept, outcome } : undefined;
  };
  let smallest = await failing(whole.actions.map((_, i) => i));
  for (let size = Math.ceil(whole.actions.length / 2); smallest && size >= 1; ) {
    const found = await withoutOne(smallest.kept, size, failing, () => runs < mostRuns);
    if (found) smallest = found;
    else if (size === 1) break;
    else size = Math.ceil(size / 2);
  }
  return smallest;
}

/** The first that still fails when one run of `size` actions is left out. */
async function withoutOne(
  kept: readonly number[],
  size: number,
  failing: (kept: readonly number[]) => Promise<Smallest | undefined>,
  mayGoOn: () => boolean,
): Promise<Smallest | undefined> {
  for (let from = 0; from < kept.length && mayGoOn(); from += size) {
    const found = await failing(kept.filter((_, i) => i < from || i >= from + size));
    if (found) return found;
  }
  return undefined;
}

/** What a person reads of a failing seed: what broke, the plan that is left, and how to run it again. */
export function report(smallest: Smallest, planted?: string): string {
  const { plan, kept, outcome } = smallest;
  const fault = planted === undefined ? '' : ` --planted '${planted}'`;
  return [
    `seed ${plan.seed} breaks ${outcome.broken.length} promises:`,
    ...outcome.broken.slice(0, 5).map((line) => `  ${line}`),
    `with ${plan.clients.length} clients, settings ${JSON.stringify(plan.settings)}, and`,
    ...plan.actions.map((action) => `  ${JSON.stringify(action)}`),
    `again: npm run simulation -- --seed ${plan.seed} --keep '${kept.join(',')}' --trace${fault}`,
  ].join('\n');
}
