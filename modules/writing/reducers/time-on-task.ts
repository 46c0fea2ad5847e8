import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { doc, writing } from '../events.ts';
import type { Mutable } from '../mutable.ts';

/** Longest pauses that still count as being on task, in s. The choice can change conclusions: all three are kept. */
export const TAUS = [60, 120, 300] as const;
export type Tau = (typeof TAUS)[number];
/** The default, as in Learning Observer (Python). */
export const TAU: Tau = 60;

const BIN_SECONDS = 600;
const MAX_BINS = 288;

type Sums = readonly [of60: number, of120: number, of300: number];

/**
 * All durations in ms. `capped`: each interval counts, at most τ. `strict`: intervals up to τ count. `closed`: start
 * (s) and ms of ten minutes each, flat, oldest first; `bin` the running one; `older` what no longer fits.
 */
type State = {
  readonly last: number | null;
  readonly shown: boolean;
  readonly capped: Sums;
  readonly strict: Sums;
  readonly closed: readonly number[];
  readonly binAt: number;
  readonly binMs: number;
  readonly older: number;
};

const initial: State = {
  last: null,
  shown: true,
  capped: [0, 0, 0],
  strict: [0, 0, 0],
  closed: [],
  binAt: 0,
  binMs: 0,
  older: 0,
};

type Event = { readonly t: number };

function step(state: State, { t }: Event): State {
  return credit(state, t, true);
}

/** Moves the state to `t`. After a document was hidden the next interval counts nothing. */
function credit(state: State, t: number, shown: boolean): State {
  const ms = state.shown && state.last !== null ? t - state.last : 0;
  if (state.last !== null && t <= state.last && shown === state.shown) return state;
  const next: Mutable<State> = { ...state };
  next.last = Math.max(t, state.last ?? t);
  next.shown = shown;
  if (state.last === null || ms <= 0) return next;
  const { capped, strict } = state;
  next.capped = [
    capped[0] + Math.min(60_000, ms),
    capped[1] + Math.min(120_000, ms),
    capped[2] + Math.min(300_000, ms),
  ];
  if (ms <= 300_000) next.strict = strictly(strict, ms);
  inBins(next, state.last, state.last + Math.min(TAU * 1000, ms));
  return next;
}

function strictly(strict: Sums, ms: number): Sums {
  return [strict[0] + (ms <= 60_000 ? ms : 0), strict[1] + (ms <= 120_000 ? ms : 0), strict[2] + ms];
}

/** Adds the stretch `[from, to)` to the ten minutes it lies in; it is cut at their edges. */
function inBins(next: Mutable<State>, from: number, to: number): void {
  const binAt = Math.floor(from / 1000 / BIN_SECONDS) * BIN_SECONDS;
  const end = (binAt + BIN_SECONDS) * 1000;
  if (binAt !== next.binAt) openBin(next, binAt);
  next.binMs += Math.min(to, end) - from;
  if (to > end) inBins(next, end, to);
}

function openBin(next: Mutable<State>, binAt: number): void {
  if (next.binMs > 0) {
    const closed = [...next.closed, next.binAt, next.binMs];
    const over = closed.length - 2 * (MAX_BINS - 1);
    const out = over > 0 ? closed.splice(0, over) : [];
    next.older = out.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), next.older);
    next.closed = closed;
    next.binMs = 0;
  }
  next.binAt = binAt;
}

/** How long a student was at work on a document. Credits pauses up to τ; a hidden document earns nothing. */
export const timeOnTask = defineReducer({
  name: 'time-on-task',
  source: writing,
  scope: scope(student, doc),
  initial,
  on: {
    open: step,
    edit: step,
    load: step,
    key: step,
    hint: step,
    attention: step,
    visibility: (state, event) => credit(state, event.t, event.visible),
  },
});

/** Seconds on task under one τ and strategy. */
export function secondsOnTask(
  state: State,
  tau: Tau = TAU,
  strategy: 'capped' | 'strict' = 'capped',
): number {
  return (state[strategy][TAUS.indexOf(tau)] ?? 0) / 1000;
}

/** Seconds on task (τ 60 s, capped) per ten minutes, by their start in s. */
export function binsOnTask(state: State): { readonly [start: number]: number } {
  const all = state.binMs > 0 ? [...state.closed, state.binAt, state.binMs] : state.closed;
  const bins: { [start: number]: number } = {};
  for (let i = 0; i < all.length; i += 2) bins[all[i] as number] = (all[i + 1] as number) / 1000;
  return bins;
}
