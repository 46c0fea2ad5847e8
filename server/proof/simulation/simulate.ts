import './prepare-runtime.ts';
import { hash } from 'node:crypto';
import { judge, PATIENCE_MS } from './judge.ts';
import { openLedger } from './ledger.ts';
import type { Plan } from './plan.ts';
import { type Random, randomOf } from './random.ts';
import type { Planted } from './server-process.ts';
import { startVirtualTime, type VirtualTime } from './virtual-time.ts';
import { openWorld } from './world.ts';

/** What became of a run. */
export type Outcome = {
  /** Broken promises, a sentence each. */
  readonly broken: readonly string[];
  /** Over everything that happened, in its order: the same for the same plan. */
  readonly hash: string;
  readonly steps: number;
  readonly events: number;
  readonly trace: readonly string[];
};

const ACTIONS_MS = 25_000;

/** Runs a plan to its end, in virtual time. One at a time in a process. */
export async function simulate(
  plan: Plan,
  options: { readonly planted?: Planted; readonly keepsTrace?: boolean } = {},
): Promise<Outcome> {
  const random = randomOf(plan.seed).fork('run');
  const chance = random.fork('process');
  const time = startVirtualTime({ random: chance.next, stepCostMs: plan.settings.stepCostMs });
  try {
    return await runWorld(plan, time, random, options);
  } finally {
    time.end();
  }
}

/** What happened, in its order. */
function openTrace(time: VirtualTime) {
  const lines: string[] = [];
  return {
    lines,
    digest: () => hash('sha256', lines.join('\n')),
    add: (line: string) => void lines.push(`${time.now()} ${line}`),
  };
}

async function runWorld(
  plan: Plan,
  time: VirtualTime,
  random: Random,
  options: { readonly planted?: Planted; readonly keepsTrace?: boolean },
): Promise<Outcome> {
  const trace = openTrace(time);
  const broken: string[] = [];
  const ledger = openLedger();
  const world = openWorld({
    plan,
    time,
    random,
    ledger,
    broken,
    planted: options.planted ?? {},
    trace: trace.add,
  });
  for (const action of plan.actions)
    time.schedule(null, action.at, () => {
      trace.add(JSON.stringify(action));
      world.act(action);
    });
  await time.run(() => false, ACTIONS_MS);
  world.heal();
  await time.run(() => broken.length > 0 || world.isQuiet(), time.now() + PATIENCE_MS);
  const keepsFrames = !plan.actions.some((action) => action.do === 'decline');
  if (broken.length === 0) await judge({ world, time, ledger, broken, trace: trace.add, keepsFrames });
  const { lines, digest } = trace;
  return {
    broken,
    hash: digest(),
    steps: time.steps(),
    events: ledger.events.size,
    trace: options.keepsTrace ? lines : [],
  };
}
