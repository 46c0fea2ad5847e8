import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { firstOfDay } from '../day.ts';
import { EPSILON, edgeAfter } from '../edge.ts';
import { type Op, writing } from '../events.ts';
import type { Mutable } from '../mutable.ts';

export const BIN_MS = 30_000;
const CLOSED_BINS = 30;
const CYCLES = 16;
const CYCLE = { characters: 3, ms: 10_000 };
const TYPO = { characters: 10, ms: 2000 };
const TAU_MS = 60_000;

/** 30 s of writing: characters added and removed, those of them added away from the edge, words won, active ms. */
export type PulseBin = readonly [
  added: number,
  removed: number,
  away: number,
  words: number,
  activeMs: number,
];
const NOTHING: PulseBin = [0, 0, 0, 0, 0];

/** A run of deletions at one place with nothing inserted since: where, how much, and when its last one was. */
type Cut = { readonly t: number; readonly pos: number; readonly size: number; readonly lastSize: number };

/**
 * What a student did lately, over all documents. Times in ms. `doc tab edge words`: the place of the last change.
 * `startedAt firstAt`: first insertion and first signal of the day. `bin`: the running one, since `binAt`. `bins`: closed ones,
 * oldest first, without a hole, as one text (thirty lists take six times the memory): the same five numbers parted by spaces,
 * active time in whole seconds, bins parted by `;`.
 */
type State = {
  readonly doc: string | null;
  readonly tab: string | null;
  readonly edge: number;
  readonly words: number;
  readonly firstAt: number | null;
  readonly last: number | null;
  readonly startedAt: number | null;
  readonly wroteAt: number | null;
  readonly insAt: number | null;
  readonly focused: boolean;
  readonly shown: boolean;
  readonly binAt: number;
  readonly bin: PulseBin;
  readonly bins: string;
  readonly cut: Cut | null;
  readonly cycles: readonly (readonly [t: number, pos: number])[];
};

const initial: State = {
  doc: null,
  tab: null,
  edge: 0,
  words: 0,
  firstAt: null,
  last: null,
  startedAt: null,
  wroteAt: null,
  insAt: null,
  focused: false,
  shown: true,
  binAt: 0,
  bin: NOTHING,
  bins: '',
  cut: null,
  cycles: [],
};

type Event = { readonly doc: string; readonly t: number; readonly tab?: string | undefined };

const plus = (
  a: PulseBin,
  added: number,
  removed: number,
  away: number,
  words: number,
  ms: number,
): PulseBin => [a[0] + added, a[1] + removed, a[2] + away, a[3] + words, a[4] + ms];

/** A copy of the state that has moved on to `t`, for the step to change: active time credited, bins closed. */
function movedTo(state: State, event: Event): Mutable<State> {
  const next: Mutable<State> = { ...state };
  // Documents have clocks of their own: going from one to another must not run the student's time back.
  const t = Math.max(event.t, state.last ?? 0);
  const from = state.last ?? t;
  move(next, t, from, state.shown ? Math.min(t, from + TAU_MS) : from);
  next.firstAt = firstOfDay(state.firstAt, state.last, t);
  if (next.firstAt !== state.firstAt) next.startedAt = null;
  next.last = t;
  return next;
}

/** Each bin gets its part of the active time, `from` to `to`, before it is closed: a closed one never changes. */
function move(next: Mutable<State>, t: number, from: number, to: number): void {
  const binAt = Math.floor(t / BIN_MS) * BIN_MS;
  if (binAt - next.binAt > CLOSED_BINS * BIN_MS) {
    next.bins = '';
    next.bin = NOTHING;
    next.binAt = binAt;
  } else if (binAt > next.binAt) {
    const bins = next.bins === '' ? [] : next.bins.split(';');
    for (; next.binAt < binAt; next.binAt += BIN_MS) {
      bins.push(closedText(credited(next, from, to)));
      next.bin = NOTHING;
    }
    next.bins = bins.slice(-CLOSED_BINS).join(';');
  }
  next.bin = credited(next, from, to);
}

/** The running bin with as much of the time from `from` to `to` as falls into it. */
function credited({ bin, binAt }: State, from: number, to: number): PulseBin {
  const ms = Math.min(to, binAt + BIN_MS) - Math.max(from, binAt);
  return ms > 0 ? plus(bin, 0, 0, 0, 0, ms) : bin;
}

function closedText([added, removed, away, words, ms]: PulseBin): string {
  return `${added} ${removed} ${away} ${words} ${Math.round(ms / 1000)}`;
}

type Edit = Event & {
  readonly tab: string;
  readonly ops: readonly Op[];
  readonly length: number;
  readonly words: number;
};

/** What ops change in the length of a text that was wholly known. */
const grownBy = (ops: readonly Op[]) =>
  ops.reduce((sum, op) => sum + (op.kind === 'ins' ? op.text.length : -op.text.length - op.unknown), 0);

function edit(state: State, event: Edit): State {
  const next = movedTo(state, event);
  if (event.doc !== state.doc || event.tab !== state.tab) {
    next.edge = Math.max(0, event.length - grownBy(event.ops));
    next.words = next.edge === 0 ? 0 : event.words;
    next.cut = null;
  }
  for (const op of event.ops) apply(next, op, event.t);
  if (event.words !== next.words) next.bin = plus(next.bin, 0, 0, 0, event.words - next.words, 0);
  next.words = event.words;
  next.doc = event.doc;
  next.tab = event.tab;
  next.focused = true;
  next.shown = true;
  if (event.ops.length > 0) next.wroteAt = next.last;
  return next;
}

function apply(next: Mutable<State>, op: Op, t: number): void {
  const size = op.text.length;
  if (op.kind === 'del') {
    next.bin = plus(next.bin, 0, size, 0, 0, 0);
    next.cut = cutAfter(next.cut, op.pos, size + op.unknown, t);
  } else {
    const isAway = op.pos < next.edge - EPSILON && !isTypoFix(next.cut, op.pos, t);
    next.bin = plus(next.bin, size, 0, isAway ? size : 0, 0, 0);
    next.cycles = cyclesAfter(next.cycles, next.cut, op.pos, t);
    next.cut = null;
    next.insAt = next.last;
    next.startedAt ??= next.last;
  }
  next.edge = edgeAfter(next.edge, op);
}

/** A deletion joins the run before it when it touches its place: backspaces come one by one. */
function cutAfter(cut: Cut | null, pos: number, size: number, t: number): Cut {
  const touches = cut !== null && t - cut.t <= CYCLE.ms && (pos === cut.pos || pos + size === cut.pos);
  return { t, pos, size: touches ? cut.size + size : size, lastSize: size };
}

function isTypoFix(cut: Cut | null, pos: number, t: number): boolean {
  return (
    cut !== null &&
    cut.lastSize < TYPO.characters &&
    t - cut.t <= TYPO.ms &&
    Math.abs(pos - cut.pos) <= EPSILON
  );
}

function cyclesAfter(cycles: State['cycles'], cut: Cut | null, pos: number, t: number): State['cycles'] {
  if (cut === null || cut.size < CYCLE.characters || t - cut.t > CYCLE.ms) return cycles;
  return Math.abs(pos - cut.pos) <= EPSILON ? [...cycles, [t, pos] as const].slice(-CYCLES) : cycles;
}

function load(
  state: State,
  event: Event & { readonly tab: string; readonly length: number; readonly words: number },
): State {
  const next = movedTo(state, event);
  return { ...next, doc: event.doc, tab: event.tab, edge: event.length, words: event.words, cut: null };
}

function focus(state: State, event: Event, focused: boolean, shown = true): State {
  const next = movedTo(state, event);
  next.focused = focused;
  next.shown = shown;
  return next;
}

/** What a student did in the last quarter of an hour: what a state word is decided from. */
export const pulse = defineReducer({
  name: 'pulse',
  version: 2,
  source: writing,
  scope: scope(student),
  initial,
  on: {
    edit,
    load,
    open: movedTo,
    hint: movedTo,
    key: (state, event) => focus(state, event, true),
    attention: (state, event) => focus(state, event, event.kind !== 'blur'),
    visibility: (state, event) => focus(state, event, event.visible, event.visible),
  },
});
