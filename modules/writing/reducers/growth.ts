import { defineReducer, scope, student, type Text, text } from '#modules/kit/index.ts';
import { CANDIDATE } from '../edit.ts';
import { doc, type Op, writing } from '../events.ts';
import { lttb } from '../lttb.ts';
import type { Mutable } from '../mutable.ts';

const MAX_POINTS = 600;
const KEPT_POINTS = 300;
const MAX_MARKS = 50;
const STEP_MS = 1000;
const LARGE_DELETION = 50;
const TAU_MS = 60_000;
const MAX_SESSIONS = 100;
/** A pause that ends a session. */
const SESSION_MS = 30 * 60_000;
/** About thirty points: what each new one writes anew. */
const TAIL_CHARACTERS = 256;

/** `t` in ms; `produced`: all characters inserted so far; `activeMs`: pauses count up to 60 s. */
export type GrowthPoint = readonly [
  t: number,
  length: number,
  cursor: number,
  produced: number,
  activeMs: number,
];
export type GrowthMark = readonly [t: number, length: number, kind: 'paste' | 'load'];

/** A run of events with pauses under 30 minutes, in ms. */
export type Session = readonly [from: number, to: number];

/**
 * `points`, then `tail`: the closed points, in differences, as characters: an object or array for each would take five times
 * the memory of the document it describes. A new point is added to the tail, which joins the long text before it when it is
 * full: of a string alone all would be written again with each point, of a text alone most of a leaf. `running`: the point
 * that may still be replaced, `since` when it began. `sessions`: those that ended; the running one began at `sessionAt`.
 */
type State = {
  readonly points: Text;
  readonly tail: string;
  readonly count: number;
  readonly closed: GrowthPoint;
  readonly running: GrowthPoint | null;
  readonly since: number;
  readonly isFixed: boolean;
  readonly marks: readonly GrowthMark[];
  readonly sessionAt: number;
  readonly sessions: readonly Session[];
  readonly last: number | null;
  readonly shown: boolean;
  readonly produced: number;
  readonly activeMs: number;
};

const ZERO: GrowthPoint = [0, 0, 0, 0, 0];
const initial: State = {
  points: text.of(''),
  tail: '',
  count: 0,
  closed: ZERO,
  running: null,
  since: 0,
  isFixed: false,
  marks: [],
  sessionAt: 0,
  sessions: [],
  last: null,
  shown: true,
  produced: 0,
  activeMs: 0,
};

/** Who types without a long pause produces what is added and is active all the time: then three steps say all five. */
function encode(point: GrowthPoint, from: GrowthPoint): string {
  const step = (i: number) => ((point[i] as number) - (from[i] as number)).toString(36);
  const isTyping = point[3] - from[3] === point[1] - from[1] && point[4] - from[4] === point[0] - from[0];
  const three = `${step(0)} ${step(1)} ${step(2)}`;
  return isTyping ? `${three};` : `${three} ${step(3)} ${step(4)};`;
}

function decode(points: string): GrowthPoint[] {
  let [t, length, cursor, produced, activeMs] = ZERO;
  const decoded: GrowthPoint[] = [];
  for (const part of points.split(';')) {
    if (part === '') break;
    const steps = part.split(' ').map((step) => Number.parseInt(step, 36));
    const step = (i: number) => steps[i] as number;
    t += step(0);
    length += step(1);
    cursor += step(2);
    produced += step(steps.length > 3 ? 3 : 1);
    activeMs += step(steps.length > 3 ? 4 : 0);
    decoded.push([t, length, cursor, produced, activeMs]);
  }
  return decoded;
}

function encodeAll(points: readonly GrowthPoint[]): Text {
  return text.of(points.map((point, i) => encode(point, points[i - 1] ?? ZERO)).join(''));
}

/** Written anew: a sum in V8 points to its parts, one for each point of a curve. */
function append(next: Mutable<State>, more: string): void {
  const longer = [next.tail, more].join('');
  const isFull = longer.length >= TAIL_CHARACTERS;
  if (isFull) next.points = text.insert(next.points, text.length(next.points), longer);
  next.tail = isFull ? '' : longer;
}

function closedOf({ points, tail }: State): GrowthPoint[] {
  return decode(text.whole(points) + tail);
}

/** The running point takes its place among the closed ones; at 600 of them the line is thinned to 300. */
function close(next: Mutable<State>): void {
  if (next.running === null) return;
  append(next, encode(next.running, next.closed));
  next.closed = next.running;
  next.running = null;
  next.count += 1;
  if (next.count < MAX_POINTS) return;
  const kept = lttb(
    closedOf(next),
    KEPT_POINTS,
    ([t]) => t,
    ([, length]) => length,
  );
  next.points = encodeAll(kept);
  next.tail = '';
  next.count = kept.length;
}

/** Adds a point; it replaces the running one within a second of its begin, unless one of the two is fixed. */
function put(next: Mutable<State>, point: GrowthPoint, isFixed: boolean): void {
  const replaces = next.running !== null && !isFixed && !next.isFixed && point[0] - next.since < STEP_MS;
  if (!replaces) {
    close(next);
    next.since = point[0];
    next.isFixed = isFixed;
  }
  next.running = point;
}

function mark(next: Mutable<State>, t: number, length: number, kind: GrowthMark[2]): void {
  next.marks = [...next.marks, [t, length, kind] as const].slice(-MAX_MARKS);
}

/** A copy of the state that has moved on to `at`, for the step to change. */
function active(state: State, at: number, shown: boolean): Mutable<State> {
  const next: Mutable<State> = { ...state };
  next.shown = shown;
  if (state.last === null) {
    next.last = at;
    next.sessionAt = at;
    return next;
  }
  const t = Math.max(at, state.last);
  const pause = t - state.last;
  next.last = t;
  if (state.shown) next.activeMs += Math.min(TAU_MS, pause);
  if (pause < SESSION_MS) return next;
  const ended: Session = [state.sessionAt, state.last];
  next.sessionAt = t;
  next.sessions = [...state.sessions, ended].slice(-MAX_SESSIONS);
  return next;
}

type Change = { readonly t: number; readonly length: number; readonly cursor: number };
const grownBy = (op: Op) => (op.kind === 'ins' ? op.text.length : -op.text.length - op.unknown);

function edit(state: State, event: Change & { readonly ops: readonly Op[] }): State {
  const next = active(state, event.t, true);
  let length = event.length;
  for (const op of event.ops) length -= grownBy(op);
  for (const op of event.ops) {
    const n = op.text.length;
    length += grownBy(op);
    const isPaste = op.kind === 'ins' && n >= CANDIDATE;
    if (op.kind === 'ins') next.produced += n;
    const cursor = op.kind === 'ins' ? op.pos + n : op.pos;
    const point = [event.t, length, cursor, next.produced, next.activeMs] as const;
    put(next, point, isPaste || (op.kind === 'del' && n >= LARGE_DELETION));
    if (isPaste) mark(next, event.t, length, 'paste');
  }
  return next;
}

function load(state: State, event: Change): State {
  const next = active(state, event.t, true);
  const point = [event.t, event.length, event.cursor, next.produced, next.activeMs] as const;
  put(next, point, true);
  mark(next, event.t, event.length, 'load');
  return next;
}

const touch = (state: State, { t }: { readonly t: number }) => active(state, t, true);

/** How a document grew: length, cursor, characters produced and active time over the clock. */
export const growth = defineReducer({
  name: 'growth',
  version: 3,
  source: writing,
  scope: scope(student, doc),
  initial,
  on: {
    edit,
    load,
    open: touch,
    key: touch,
    hint: touch,
    attention: touch,
    visibility: (state, event) => active(state, event.t, event.visible),
  },
});

/** All points, oldest first. */
export function pointsOf(state: State): readonly GrowthPoint[] {
  const closed = closedOf(state);
  return state.running === null ? closed : [...closed, state.running];
}

/** All sessions that are kept, oldest first, the running one among them. */
export function sessionsOf({ sessions, sessionAt, last }: State): readonly Session[] {
  return last === null ? sessions : [...sessions, [sessionAt, last]];
}
