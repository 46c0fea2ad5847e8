import { area, line, max, scaleLinear, scaleTime } from 'd3';

/** `at` in ms; values from 0 up. Width and height in the units of the drawing, which scales with its box. */
export type Series = readonly { readonly at: number; readonly value: number }[];
type Box = { readonly width: number; readonly height: number };

const RIGHT = 60;
const BOTTOM = 26;

/** Path, area and ticks of one line over time in a box; points without a finite value are gaps. */
export function layoutLine(points: Series, { width, height }: Box) {
  const first = points[0]?.at ?? 0;
  const last = points.at(-1)?.at ?? first + 1;
  const x = scaleTime([first, last], [0, width - RIGHT]);
  const y = scaleLinear(
    [0, Math.max(10, max(points, ({ value }) => value) ?? 0)],
    [height - BOTTOM, 14],
  ).nice(3);
  const isKnown = ({ value }: Series[number]) => Number.isFinite(value);
  const path = line<Series[number]>(
    ({ at }) => x(at),
    ({ value }) => y(value),
  ).defined(isKnown);
  const below = area<Series[number]>()
    .x(({ at }) => x(at))
    .y0(y(0))
    .y1(({ value }) => y(value))
    .defined(isKnown);
  const end = points.at(-1);
  return {
    line: path([...points]) ?? '',
    area: below([...points]) ?? '',
    base: y(0),
    right: width - RIGHT,
    end: end && isKnown(end) ? { x: x(end.at), y: y(end.value) } : null,
    grid: y
      .ticks(3)
      .slice(1)
      .map((value) => ({ value, y: y(value) })),
    times: [0, 1, 2].map((third) => {
      const at = first + ((last - first) * third) / 3;
      return { at, x: x(at) };
    }),
  };
}

/** One line over time, its area tinted, its newest point marked; large type, to be read from afar. */
export function LineView(props: {
  readonly points: Series;
  readonly label: string;
  readonly timeOf: (ms: number) => string;
}) {
  const width = 1168;
  const height = 290;
  const drawn = layoutLine(props.points, { width, height });
  return (
    <svg className="lo-chart is-large" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={props.label}>
      <path d={drawn.area} fill="var(--lo-area)" />
      {drawn.grid.map(({ value, y }) => (
        <g key={value}>
          <line className="grid" x1="0" x2={drawn.right} y1={y} y2={y} />
          <text x={width} y={y + 6} textAnchor="end">
            {value.toLocaleString('en')}
          </text>
        </g>
      ))}
      <path d={drawn.line} fill="none" stroke="var(--lo-line-1)" strokeWidth="4" strokeLinejoin="round" />
      <line className="base" x1="0" x2={drawn.right} y1={drawn.base + 0.5} y2={drawn.base + 0.5} />
      {drawn.end && (
        <circle
          cx={drawn.end.x}
          cy={drawn.end.y}
          r="7"
          fill="var(--lo-line-1)"
          stroke="var(--lo-surface)"
          strokeWidth="3"
        />
      )}
      {drawn.times.map(({ at, x }, i) => (
        <text key={at} x={x} y={height - 2} textAnchor={i === 0 ? 'start' : 'middle'}>
          {props.timeOf(at)}
        </text>
      ))}
      <text x={drawn.right} y={height - 2} textAnchor="middle">
        now
      </text>
    </svg>
  );
}
