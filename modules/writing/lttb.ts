/**
 * Largest-triangle-three-buckets: chooses `count` of `points` that keep the shape of a line; first and last stay.
 * Steinarsson, S. (2013), *Downsampling Time Series for Visual Representation*.
 */
export function lttb<P>(
  points: readonly P[],
  count: number,
  x: (point: P) => number,
  y: (point: P) => number,
): P[] {
  const last = points.length - 1;
  if (points.length <= count || count < 3) return [...points];
  const width = (points.length - 2) / (count - 2);
  const edge = (bucket: number) => Math.floor(bucket * width) + 1;
  const point = (i: number) => points[i] as P;
  const chosen = [0];
  for (let bucket = 0; bucket < count - 2; bucket += 1) {
    const from = edge(bucket);
    const to = edge(bucket + 1);
    const next = meanOf(points, to, Math.min(edge(bucket + 2), points.length), x, y);
    const a = point(chosen[bucket] as number);
    const area = (p: P) => Math.abs((x(a) - next.x) * (y(p) - y(a)) - (x(a) - x(p)) * (next.y - y(a)));
    let best = from;
    for (let i = from + 1; i < to; i += 1) if (area(point(i)) > area(point(best))) best = i;
    chosen.push(best);
  }
  return [...chosen, last].map(point);
}

function meanOf<P>(
  points: readonly P[],
  from: number,
  to: number,
  x: (point: P) => number,
  y: (point: P) => number,
): { readonly x: number; readonly y: number } {
  let sumX = 0;
  let sumY = 0;
  for (let i = from; i < to; i += 1) {
    sumX += x(points[i] as P);
    sumY += y(points[i] as P);
  }
  return { x: sumX / (to - from), y: sumY / (to - from) };
}
