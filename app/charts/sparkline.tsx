import { scaleSqrt } from 'd3';

export type Bar = readonly [added: number, removed: number, ...rest: readonly number[]];

/** `most`: what fills the height, shared by those who are compared. `silentFrom`: first bar without signal. `dots`: bars with a mark. */
export type Sparkline = {
  readonly bars: readonly Bar[];
  readonly most: number;
  readonly silentFrom?: number | null;
  readonly dots?: readonly number[];
};

const STEP = 4;
const BAR = 3;
const UP = 14;
const DOWN = 8;
const LEAST = 1.5;

/** Paths of a sparkline in a box of 4 × bars by 24: up what was added, down what was removed, on one √ scale. */
export function layoutSparkline({ bars, most, silentFrom = null, dots = [] }: Sparkline) {
  const scale = scaleSqrt([0, Math.max(1, most)], [0, UP]);
  const known = silentFrom === null ? bars : bars.slice(0, silentFrom);
  const height = (value: number, limit: number) => Math.min(limit, Math.max(LEAST, scale(value))).toFixed(1);
  const width = bars.length * STEP;
  const path = (part: 0 | 1, draw: (x: number, value: number) => string) =>
    known.map((bar, i) => (bar[part] > 0 ? draw(i * STEP, bar[part]) : '')).join('');
  return {
    width,
    added: path(0, (x, value) => `M${x} 15v-${height(value, UP)}h${BAR}V15z`),
    removed: path(1, (x, value) => `M${x} 16v${height(value, DOWN)}h${BAR}V16z`),
    hatch: silentFrom === null ? null : { x: silentFrom * STEP, width: width - silentFrom * STEP },
    dots: dots.filter((i) => i >= 0 && i < bars.length).map((i) => i * STEP + BAR / 2),
  };
}

/** A sparkline with its sentence for readers. */
export function SparklineView(props: Sparkline & { readonly label: string; readonly className: string }) {
  const drawn = layoutSparkline(props);
  return (
    <svg className={props.className} viewBox={`0 0 ${drawn.width} 24`} role="img" aria-label={props.label}>
      <path d={`M0 15.5h${drawn.width}`} stroke="var(--lo-line)" />
      {drawn.hatch && (
        <rect
          className="lo-card__hatch"
          x={drawn.hatch.x}
          y="3"
          width={drawn.hatch.width}
          height="18"
          rx="2"
          fill="url(#lo-hatch)"
        />
      )}
      <path d={drawn.added} fill="var(--lo-added)" />
      <path d={drawn.removed} fill="var(--lo-removed)" />
      {drawn.dots.map((x) => (
        <circle key={x} cx={x} cy="3" r="2.75" fill="var(--lo-look-mark)" stroke="var(--lo-surface)" />
      ))}
    </svg>
  );
}
