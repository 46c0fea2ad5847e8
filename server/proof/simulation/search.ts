import { planOf } from './plan.ts';
import type { Planted } from './server-process.ts';
import { simulate } from './simulate.ts';

export type Searched = {
  readonly seeds: number;
  readonly seconds: number;
  /** Of one core; on a shared machine less than `seconds`. */
  readonly coreSeconds: number;
  readonly events: number;
  /** The first seed that broke a promise. */
  readonly failing: number | undefined;
};

/** Runs seed after seed, from `seed` on, up to the first that breaks a promise. */
export async function search(options: {
  readonly seed: number;
  readonly seeds: number;
  readonly planted?: Planted;
}): Promise<Searched> {
  const { seed, seeds, planted = {} } = options;
  const since = performance.now();
  const cpu = process.cpuUsage();
  let events = 0;
  for (let ran = 0; ran < seeds; ran++) {
    const outcome = await simulate(planOf(seed + ran), { planted });
    events += outcome.events;
    if (outcome.broken.length > 0)
      return { seeds: ran + 1, ...spent(since, cpu), events, failing: seed + ran };
  }
  return { seeds, ...spent(since, cpu), events, failing: undefined };
}

function spent(since: number, cpu: NodeJS.CpuUsage): Pick<Searched, 'seconds' | 'coreSeconds'> {
  const { user, system } = process.cpuUsage(cpu);
  const seconds = Math.round(performance.now() - since) / 1_000;
  return { seconds, coreSeconds: Math.round((user + system) / 1_000) / 1_000 };
}
