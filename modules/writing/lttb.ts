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
  const [first] = points;
  const last = points.at(-1);
  if (points.length <= count || first === undefined || last === undefined || count < 3) return [...points];
  const width = (points.length - 2) / (count - 2);
  const edge = (bucket: number) => Math.floor(bucket * width) + 1;
  const chosen: P[] = [first];
  for (let bucket = 0; bucket < count - 2; bucket += 1) {
    const following = points.slice(edge(bucket + 1), Math.min(edge(bucket + 2), points.length));
    const mean = { x: meanOf(following, x), y: meanOf(following, y) };
    const from = chosen.at(-1) as P;
    const area = (p: P) =>
      Math.abs((x(from) - mean.x) * (y(p) - y(from)) - (x(from) - x(p)) * (mean.y - y(from)));
    chosen.push(
      points.slice(edge(bucket), edge(bucket + 1)).reduce((best, p) => (area(p) > area(best) ? p : best)),
    );
  }
  return [...chosen, last];
}

function meanOf<P>(points: readonly P[], value: (point: P) => number): number {
  return points.reduce((sum, point) => sum + value(point), 0) / points.length;
}
