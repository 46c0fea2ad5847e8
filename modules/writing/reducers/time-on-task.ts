import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { doc, writing } from '../events.ts';

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
  if (state.last === null) return { ...state, last: t, shown };
  const ms = state.shown ? t - state.last : 0;
  if (ms <= 0)
    return t <= state.last && shown === state.shown
      ? state
      : { ...state, last: Math.max(t, state.last), shown };
  const { capped, strict } = state;
  const next: State = {
    ...state,
    last: t,
    shown,
    capped: [
      capped[0] + Math.min(60_000, ms),
      capped[1] + Math.min(120_000, ms),
      capped[2] + Math.min(300_000, ms),
    ],
    strict: ms > 300_000 ? strict : strictly(strict, ms),
  };
  return inBins(next, state.last, state.last + Math.min(TAU * 1000, ms));
}

function strictly(strict: Sums, ms: number): Sums {
  return [strict[0] + (ms <= 60_000 ? ms : 0), strict[1] + (ms <= 120_000 ? ms : 0), strict[2] + ms];
}

/** Adds the stretch `[from, to)` to the ten minutes it lies in; it is cut at their edges. */
function inBins(state: State, from: number, to: number): State {
  const binAt = Math.floor(from / 1000 / BIN_SECONDS) * BIN_SECONDS;
  const end = (binAt + BIN_SECONDS) * 1000;
  const opened = binAt === state.binAt ? state : openBin(state, binAt);
  const part: State = { ...opened, binMs: opened.binMs + Math.min(to, end) - from };
  return to > end ? inBins(part, end, to) : part;
}

function openBin(state: State, binAt: number): State {
  if (state.binMs === 0) return { ...state, binAt };
  const closed = [...state.closed, state.binAt, state.binMs];
  const over = closed.length - 2 * (MAX_BINS - 1);
  const out = over > 0 ? closed.splice(0, over) : [];
  const older = out.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), state.older);
  return { ...state, closed, older, binAt, binMs: 0 };
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
