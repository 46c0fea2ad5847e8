import { runClones } from './clones.ts';
import { runCuts } from './cuts.ts';
import { runFaults } from './faults.ts';
import { runFull } from './full.ts';
import { runKills } from './kills.ts';
import { runOwners } from './owners.ts';
import { runRedis } from './redis.ts';
import { isBroken, type Round, type Scenario } from './round.ts';
import { runSchool } from './school.ts';

export const SCENARIOS = {
  kills: runKills,
  cuts: runCuts,
  clones: runClones,
  owners: runOwners,
  redis: runRedis,
  faults: runFaults,
  full: runFull,
  school: runSchool,
} as const satisfies Record<string, (scenario: Scenario) => Promise<void>>;

export type CrashKind = keyof typeof SCENARIOS;

const SENTENCES_SHOWN = 3;

/** Runs scenarios, says of each round what broke, and adds up. */
export function openTally(isVerbose = false) {
  const rounds: { readonly kind: CrashKind; readonly round: Round }[] = [];
  let acknowledged = 0;

  async function run(kind: CrashKind, scenario: Omit<Scenario, 'onRound'>): Promise<void> {
    const startedAt = performance.now();
    let before = 0;
    const onRound = (round: Round) => {
      rounds.push({ kind, round });
      // The ledgers of one archive count on, those of the next begin anew.
      acknowledged += round.acknowledged - (round.acknowledged >= before ? before : 0);
      before = round.acknowledged;
      if (isVerbose) console.log(sentenceOf(kind, round));
      if (isBroken(round)) show(kind, round);
    };
    try {
      await SCENARIOS[kind]({ ...scenario, onRound });
    } catch (error) {
      console.error(error);
      const others = [`${kind} stopped: ${error instanceof Error ? error.message : String(error)}`];
      rounds.push({ kind, round: { ...NOTHING, what: kind, others } });
    }
    const own = rounds.filter((one) => one.kind === kind);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${kind}: ${own.length} rounds in ${seconds} s, ready after ${readyOf(own)} ms at the most`);
  }

  /** Prints the figures; false where a promise was broken. */
  function print(): boolean {
    const count = (of: (round: Round) => readonly string[]) =>
      rounds.reduce((sum, { round }) => sum + of(round).length, 0);
    for (const kind of Object.keys(SCENARIOS) as CrashKind[]) {
      const crashes = rounds.filter((one) => one.kind === kind && !['rest', 'stop'].includes(one.round.what));
      if (crashes.length > 0) console.log(`figure crash.${kind} ${crashes.length} rounds`);
    }
    const kills = rounds.filter(({ round }) => round.what === 'kill');
    const stops = rounds.filter(({ round }) => round.what === 'stop');
    if (stops.length > 0) console.log(`figure crash.stops ${stops.length} rounds`);
    const share = (of: (round: Round) => boolean) =>
      kills.length === 0 ? 1 : kills.filter(({ round }) => of(round)).length / kills.length;
    const inFlight = share((round) => round.isInFlight);
    if (kills.length > 0) {
      console.log(`figure crash.kills-in-flight ${inFlight.toFixed(2)} share`);
      console.log(`figure crash.kills-after-answer ${share((round) => round.isRecent).toFixed(2)} share`);
    }
    const ready = (isSchool: boolean, name: string) => {
      const ms = readyOf(rounds.filter((one) => (one.kind === 'school') === isSchool));
      if (ms > 0) console.log(`figure crash.${name} ${ms} ms`);
    };
    ready(false, 'ready-max');
    ready(true, 'school-ready-max');
    console.log(`figure crash.acknowledged ${acknowledged} events`);
    console.log(`figure crash.lost ${count((round) => round.lost)} events`);
    console.log(`figure crash.doubled ${count((round) => round.doubled)} events`);
    console.log(`figure crash.state-mismatches ${count((round) => round.mismatches)} states`);
    const failed = rounds.filter(({ round }) => isBroken(round)).length;
    console.log(`${rounds.length - failed} passed, ${failed} failed`);
    if (inFlight < 0.9) console.log('too few kills met unacknowledged events: they prove nothing');
    return failed === 0 && inFlight >= 0.9;
  }

  return { run, print, rounds: () => rounds.map(({ round }) => round) };
}

const NOTHING: Round = {
  what: '',
  lost: [],
  doubled: [],
  mismatches: [],
  others: [],
  acknowledged: 0,
  isInFlight: true,
  isRecent: true,
  readyMs: 0,
};

function sentenceOf(kind: CrashKind, { what, readyMs, acknowledged, note }: Round): string {
  const parts = [
    `${kind}: ${what}`,
    `${acknowledged} acknowledged`,
    readyMs > 0 ? `was ready after ${Math.round(readyMs)} ms` : '',
    note ?? '',
  ];
  return parts.filter(Boolean).join(', ');
}

function readyOf(rounds: readonly { readonly round: Round }[]): number {
  return Math.round(Math.max(0, ...rounds.map(({ round }) => round.readyMs)));
}

function show(kind: CrashKind, round: Round): void {
  for (const [name, found] of Object.entries({
    lost: round.lost,
    doubled: round.doubled,
    'wrong states': round.mismatches,
    other: round.others,
  })) {
    if (found.length === 0) continue;
    console.log(`${kind}, ${round.what}: ${found.length} ${name}`);
    for (const sentence of found.slice(0, SENTENCES_SHOWN)) console.log(`  ${sentence}`);
  }
}
