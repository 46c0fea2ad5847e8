import { scaleLinear } from 'd3';

/** `at` in ms, `length` in characters, `activeSeconds` since the text's first change. In order of time. */
export type GrowthPoint = { readonly at: number; readonly length: number; readonly activeSeconds: number };
export type GrowthPaste = { readonly at: number; readonly n: number };
export type GrowthSession = { readonly from: number; readonly to: number };
export type GrowthAxis = 'clock' | 'active';

export type Growth = {
  readonly points: readonly GrowthPoint[];
  readonly pastes: readonly GrowthPaste[];
  readonly sessions: readonly GrowthSession[];
  readonly axis: GrowthAxis;
};

export const GROWTH_BOX = { width: 776, height: 214, left: 44, right: 12, top: 14, bottom: 178 };
const CUT_MS = 5 * 60 * 1000;
const LEAST_PIECE_MS = 20_000;
const GAP = 14;
const LABEL_WIDTH = 84;
const SIZE_LABEL_WIDTH = 30;
const LEAST_PASTE = 10;

type Piece = { readonly from: number; readonly to: number; readonly x: number; readonly width: number };

/**
 * Where a growth curve's parts stand in its box. By the clock, gaps over five minutes are cut: each stretch of work has
 * a width by its length, with a break between. By active time there are no cuts.
 */
export function layoutGrowth({ points, pastes, sessions, axis }: Growth) {
  const { left, right, top, bottom, width } = GROWTH_BOX;
  const most = Math.max(100, ...points.map(({ length }) => length));
  const y = scaleLinear([0, most], [bottom, top]).nice(4);
  const pieces = axis === 'clock' ? cutPieces(points) : [];
  const x = axis === 'clock' ? clockScale(pieces) : activeScale(points);
  const xs = points.map((point) => x(point));
  const runs = axis === 'clock' ? runsOf(points) : [points.map((_, i) => i)];
  return {
    xs,
    ys: points.map(({ length }) => y(length)),
    lines: runs.map((run) => stepLine(run.map((i) => [xs[i] ?? 0, y(points[i]?.length ?? 0)]))),
    links: runs.slice(1).map((run, k) => linkTo(run, runs[k] ?? [], xs, (i) => y(points[i]?.length ?? 0))),
    breaks: pieces.slice(1).map((piece) => piece.x - gapOf(pieces.length) / 2),
    bands: sessions.flatMap((session) => bandOf(session, points, xs)),
    grid: y.ticks(4).map((value) => ({ value, y: y(value) })),
    pastes: placePastes(pastes, points, xs, y),
    labels:
      axis === 'clock'
        ? spaced(
            sessions.flatMap((session) => bandOf(session, points, xs)),
            LABEL_WIDTH,
          )
        : [],
    minutes: axis === 'active' ? minuteTicks(points, width - left - right) : [],
  };
}

/** Indices of points in runs without a gap over five minutes. */
function runsOf(points: readonly GrowthPoint[]): number[][] {
  const runs: number[][] = [];
  for (const [i, point] of points.entries()) {
    const before = points[i - 1];
    if (before && point.at - before.at <= CUT_MS) runs.at(-1)?.push(i);
    else runs.push([i]);
  }
  return runs;
}

const gapOf = (pieces: number) => Math.min(GAP, 200 / Math.max(1, pieces));

function cutPieces(points: readonly GrowthPoint[]): readonly Piece[] {
  const { left, right, width } = GROWTH_BOX;
  const spans = runsOf(points).map((run) => ({
    from: points[run[0] ?? 0]?.at ?? 0,
    to: points[run.at(-1) ?? 0]?.at ?? 0,
  }));
  const length = (span: GrowthSession) => Math.max(LEAST_PIECE_MS, span.to - span.from);
  const total = spans.reduce((sum, span) => sum + length(span), 0);
  const gap = gapOf(spans.length);
  const unit = (width - left - right - gap * (spans.length - 1)) / Math.max(1, total);
  let x = left;
  return spans.map((span) => {
    const piece = { ...span, x, width: length(span) * unit };
    x += piece.width + gap;
    return piece;
  });
}

function clockScale(pieces: readonly Piece[]) {
  return ({ at }: { readonly at: number }): number => {
    const piece = pieces.findLast(({ from }) => from <= at) ?? pieces[0];
    if (!piece) return GROWTH_BOX.left;
    const span = Math.max(LEAST_PIECE_MS, piece.to - piece.from);
    return piece.x + Math.min(1, (at - piece.from) / span) * piece.width;
  };
}

function activeScale(points: readonly GrowthPoint[]) {
  const { left, right, width } = GROWTH_BOX;
  const last = Math.max(60, points.at(-1)?.activeSeconds ?? 0);
  const scale = scaleLinear([0, last], [left, width - right]);
  return ({ activeSeconds }: { readonly activeSeconds: number }) => scale(activeSeconds);
}

function stepLine(places: readonly (readonly [x: number, y: number])[]): string {
  return places
    .map(([x, y], i) => (i === 0 ? `M${x.toFixed(1)} ${y.toFixed(1)}` : `H${x.toFixed(1)}V${y.toFixed(1)}`))
    .join('');
}

function linkTo(
  run: readonly number[],
  before: readonly number[],
  xs: readonly number[],
  yOf: (i: number) => number,
): string {
  const last = before.at(-1) ?? 0;
  return `M${(xs[last] ?? 0).toFixed(1)} ${yOf(last).toFixed(1)}H${(xs[run[0] ?? 0] ?? 0).toFixed(1)}`;
}

function bandOf(session: GrowthSession, points: readonly GrowthPoint[], xs: readonly number[]) {
  const inside = xs.filter((_, i) => {
    const at = points[i]?.at ?? 0;
    return at >= session.from && at <= session.to;
  });
  if (inside.length === 0) return [];
  const x = Math.min(...inside);
  return [{ ...session, x, width: Math.max(2, Math.max(...inside) - x) }];
}

function placePastes(
  pastes: readonly GrowthPaste[],
  points: readonly GrowthPoint[],
  xs: readonly number[],
  y: (length: number) => number,
) {
  const placed = pastes.flatMap((paste) => {
    const i = points.findIndex(({ at }) => at >= paste.at);
    const point = points[i];
    if (!point) return [];
    const top = y(point.length);
    return [{ ...paste, x: xs[i] ?? 0, top, height: Math.max(LEAST_PASTE, y(0) - y(paste.n)) }];
  });
  const labelled = new Set(spaced(placed, SIZE_LABEL_WIDTH));
  return placed.map((paste) => ({ ...paste, hasLabel: labelled.has(paste) }));
}

/** Those of some things along the axis that leave each other room for a label. */
function spaced<Thing extends { readonly x: number }>(
  things: readonly Thing[],
  room: number,
): readonly Thing[] {
  const kept: Thing[] = [];
  for (const thing of things.toSorted((a, b) => a.x - b.x)) {
    if (thing.x - (kept.at(-1)?.x ?? Number.NEGATIVE_INFINITY) >= room) kept.push(thing);
  }
  return kept;
}

function minuteTicks(points: readonly GrowthPoint[], room: number) {
  const last = Math.max(60, points.at(-1)?.activeSeconds ?? 0);
  const scale = scaleLinear([0, last / 60], [GROWTH_BOX.left, GROWTH_BOX.left + room]);
  return scale.ticks(6).map((minutes) => ({ minutes, x: scale(minutes) }));
}

/** The point nearest to a place on the axis; −1 without points. */
export function nearestPoint(xs: readonly number[], x: number): number {
  return xs.reduce(
    (best, at, i) => (Math.abs(at - x) < Math.abs((xs[best] ?? Infinity) - x) ? i : best),
    xs.length ? 0 : -1,
  );
}
