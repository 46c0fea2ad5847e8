import { type Random, randomOf } from './random.ts';

/** One thing that somebody does, or that happens to them, `at` ms after the run began. Lengths in ms. */
export type Action = { readonly at: number } & Deed;

export type Deed =
  | { readonly do: 'write'; readonly client: number; readonly count: number; readonly salt: number }
  | { readonly do: 'bad-frame'; readonly client: number }
  /** Sends what has its end already once more: as it was, or with other bodies. */
  | { readonly do: 'resend'; readonly client: number; readonly count: number; readonly isTampered: boolean }
  | { readonly do: 'cut'; readonly client: number; readonly downMs: number; readonly lingerMs: number }
  | { readonly do: 'clog'; readonly client: number; readonly ms: number }
  /** The spool loses its oldest events, or all, under a new epoch. */
  | { readonly do: 'lose-oldest'; readonly client: number; readonly count: number }
  | { readonly do: 'new-epoch'; readonly client: number }
  | { readonly do: 'client-clock'; readonly client: number; readonly offsetMs: number }
  | { readonly do: 'decline'; readonly student: number; readonly ms: number; readonly isUnknown: boolean }
  | {
      readonly do: 'kill';
      readonly hasPowerCut: boolean;
      readonly downMs: number;
      readonly withStaleOwner: boolean;
    }
  | { readonly do: 'stop'; readonly downMs: number }
  | { readonly do: 'disk-full'; readonly ms: number }
  | { readonly do: 'disk-error'; readonly hasPowerCut: boolean }
  | { readonly do: 'disk-short'; readonly ms: number }
  | { readonly do: 'disk-slow'; readonly ms: number; readonly byMs: number }
  | { readonly do: 'seal' }
  | { readonly do: 'store-slow'; readonly ms: number }
  | { readonly do: 'store-fail'; readonly ms: number }
  | { readonly do: 'store-mute'; readonly ms: number }
  | { readonly do: 'store-back'; readonly share: number }
  | { readonly do: 'store-empty' }
  | { readonly do: 'server-clock'; readonly byMs: number };

/** A whole run, decided before it begins; what a run draws besides is drawn from the same seed. */
export type Plan = {
  readonly seed: number;
  readonly students: number;
  /** Whose each client is. */
  readonly clients: readonly number[];
  readonly settings: Settings;
  readonly actions: readonly Action[];
};

export type Settings = {
  readonly stepCostMs: number;
  readonly sealBytes: number;
  readonly groupEntries: number;
  readonly queueBytes: number;
  readonly burst: number;
  readonly eventsPerSecond: number;
  readonly flushEveryMs: number;
  readonly hotBytes: number;
};

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const LENGTH_MS = 20_000;

export function planOf(seed: number): Plan {
  const random = randomOf(seed).fork('plan');
  const students = random.between(1, 3);
  const clients = Array.from({ length: random.between(1, 4) }, () => random.below(students));
  const settings = settingsOf(random);
  const deeds = [...Array.from({ length: random.between(6, 18) }, () => clientDeed(random, clients.length))];
  for (let n = random.between(0, 7); n > 0; n--) deeds.push(faultOf(random, students));
  const actions: Action[] = deeds.map((deed) => ({ at: random.below(LENGTH_MS), ...deed }));
  if (random.chance(0.3)) actions.push(...misfortunes(random, clients.length));
  return { seed, students, clients, settings, actions: actions.toSorted((a, b) => a.at - b.at) };
}

/** The plan with only these of its actions. */
export function keepOnly(plan: Plan, kept: readonly number[]): Plan {
  return { ...plan, actions: plan.actions.filter((_, i) => kept.includes(i)) };
}

function settingsOf(random: Random): Settings {
  return {
    stepCostMs: random.pick([0, 0, 0.01, 3]),
    sealBytes: random.pick([1_500, 8_000, 1_000_000]),
    groupEntries: random.pick([2, 16, 4_096]),
    queueBytes: random.pick([1_000, 8_000, 1_000_000]),
    burst: random.pick([40, 400, 400]),
    eventsPerSecond: random.pick([20, 40, 200]),
    flushEveryMs: random.pick([5, 50, 250]),
    hotBytes: random.pick([0, 3_000, 10_000_000]),
  };
}

function clientDeed(random: Random, clients: number): Deed {
  const client = random.below(clients);
  const dice = random.below(100);
  if (dice < 58) {
    const count = random.chance(0.03) ? random.between(60, 120) : random.between(1, 14);
    return { do: 'write', client, count, salt: random.below(1_000_000) };
  }
  if (dice < 70)
    return {
      do: 'cut',
      client,
      downMs: random.below(random.pick([60, 3_000])),
      lingerMs: random.pick([0, 50, 2_000]),
    };
  if (dice < 83)
    return { do: 'resend', client, count: random.between(1, 20), isTampered: random.chance(0.55) };
  if (dice < 87) return { do: 'clog', client, ms: random.between(500, 20_000) };
  if (dice < 91) return { do: 'bad-frame', client };
  if (dice < 94) return { do: 'lose-oldest', client, count: random.between(1, 5) };
  if (dice < 97) return { do: 'new-epoch', client };
  return { do: 'client-clock', client, offsetMs: random.between(-10, 10) * YEAR_MS };
}

/** What hardly ever meets by chance: events wait for a slow disk, their client comes back meanwhile, and then it all ends. */
function misfortunes(random: Random, clients: number): Action[] {
  const at = random.below(LENGTH_MS);
  const client = random.below(clients);
  const salt = random.below(1_000_000);
  const downMs = random.between(10, 1_000);
  return [
    { at, do: 'disk-slow', ms: 3_000, byMs: 3_000 },
    { at: at + 10, do: 'write', client, count: random.between(1, 6), salt },
    { at: at + 100, do: 'cut', client, downMs: random.below(100), lingerMs: 2_000 },
    { at: at + random.between(300, 1_500), do: 'kill', hasPowerCut: true, downMs, withStaleOwner: false },
  ];
}

function faultOf(random: Random, students: number): Deed {
  const dice = random.below(100);
  if (dice < 30) {
    const hasPowerCut = random.chance(0.5);
    const withStaleOwner = random.chance(0.3);
    return { do: 'kill', hasPowerCut, downMs: random.between(10, 3_000), withStaleOwner };
  }
  if (dice < 36) return { do: 'stop', downMs: random.between(10, 3_000) };
  if (dice < 42) return { do: 'disk-full', ms: random.between(100, 5_000) };
  if (dice < 48) return { do: 'disk-error', hasPowerCut: random.chance(0.5) };
  if (dice < 54) return { do: 'disk-short', ms: random.between(1_000, 10_000) };
  if (dice < 64)
    return { do: 'disk-slow', ms: random.between(500, 8_000), byMs: random.pick([20, 300, 2_000]) };
  if (dice < 68) return { do: 'seal' };
  if (dice < 73) return { do: 'store-slow', ms: random.between(500, 10_000) };
  if (dice < 78) return { do: 'store-fail', ms: random.between(500, 10_000) };
  if (dice < 84) return { do: 'store-mute', ms: random.between(500, 10_000) };
  if (dice < 89) return { do: 'store-back', share: random.next() };
  if (dice < 92) return { do: 'store-empty' };
  if (dice < 95)
    return {
      do: 'decline',
      student: random.below(students),
      ms: random.between(500, 6_000),
      isUnknown: random.chance(0.2),
    };
  return { do: 'server-clock', byMs: random.pick([-HOUR_MS, HOUR_MS, -5_000]) };
}
