'use client';
import { type KeyboardEvent, type PointerEvent, useMemo, useState } from 'react';
import { GROWTH_BOX, type Growth, layoutGrowth, nearestPoint } from './growth-layout.ts';

type GrowthViewProps = Growth & {
  readonly label: string;
  /** Words for one point, for the line above the chart and for readers. */
  readonly readout: (i: number) => string;
  readonly sessionLabel: (session: {
    readonly from: number;
    readonly to: number;
  }) => readonly [string, string];
};

/** Length of a text over time: a step line, sessions as bands, pastes as marks. Pointer and arrows read one point. */
export function GrowthView({ label, readout, sessionLabel, ...growth }: GrowthViewProps) {
  const { points, pastes, sessions, axis } = growth;
  const drawn = useMemo(
    () => layoutGrowth({ points, pastes, sessions, axis }),
    [points, pastes, sessions, axis],
  );
  const [chosen, setChosen] = useState<number | null>(null);
  const last = points.length - 1;
  const at = chosen === null ? null : Math.min(chosen, last);
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setChosen(nearestPoint(drawn.xs, ((event.clientX - box.left) / box.width) * GROWTH_BOX.width));
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowLeft: (at ?? last + 1) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setChosen(Math.min(last, Math.max(0, to)));
  };
  return (
    <>
      <p className="lo-readout" aria-hidden="true">
        {readout(at ?? last)}
      </p>
      <div
        className="lo-growth"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={at ?? last}
        aria-valuetext={readout(at ?? last)}
        onPointerMove={point}
        onPointerLeave={() => setChosen(null)}
        onKeyDown={press}
      >
        <Drawing drawn={drawn} at={at} sessionLabel={sessionLabel} />
      </div>
    </>
  );
}

type Drawn = ReturnType<typeof layoutGrowth>;
type DrawingProps = Pick<GrowthViewProps, 'sessionLabel'> & {
  readonly drawn: Drawn;
  readonly at: number | null;
};

function Drawing({ drawn, at, sessionLabel }: DrawingProps) {
  const { width, height, left, right, top, bottom } = GROWTH_BOX;
  const end = at ?? drawn.xs.length - 1;
  return (
    <svg className="lo-chart" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {drawn.bands.map((band) => (
        <rect key={band.from} className="band" x={band.x} y={top} width={band.width} height={bottom - top} />
      ))}
      {drawn.grid.map(({ value, y }) => (
        <g key={value}>
          <line className="grid" x1={left} x2={width - right} y1={y} y2={y} />
          <text x={left - 6} y={y + 4} textAnchor="end">
            {value.toLocaleString('en')}
          </text>
        </g>
      ))}
      {drawn.links.map((path) => (
        <path key={path} d={path} stroke="var(--lo-axis)" strokeDasharray="2 3" fill="none" />
      ))}
      {drawn.lines.map((path) => (
        <path
          key={path}
          d={path}
          fill="none"
          stroke="var(--lo-line-1)"
          strokeWidth="2"
          strokeLinejoin="round"
        />
      ))}
      <Pastes pastes={drawn.pastes} />
      <line className="base" x1={left} x2={width - right} y1={bottom + 0.5} y2={bottom + 0.5} />
      {drawn.breaks.map((x) => (
        <path
          key={x}
          d={`M${x - 3.5} ${bottom + 4}l3-8M${x + 0.5} ${bottom + 4}l3-8`}
          stroke="var(--lo-axis)"
          fill="none"
        />
      ))}
      {at !== null && (
        <line x1={drawn.xs[at]} x2={drawn.xs[at]} y1={top} y2={bottom} stroke="var(--lo-accent)" />
      )}
      <circle
        cx={drawn.xs[end]}
        cy={drawn.ys[end]}
        r="3.5"
        fill="var(--lo-line-1)"
        stroke="var(--lo-surface)"
        strokeWidth="1.5"
      />
      {drawn.labels.map((label) => (
        <SessionLabel key={label.from} x={label.x} words={sessionLabel(label)} />
      ))}
      {drawn.minutes.map(({ minutes, x }) => (
        <text key={minutes} x={x} y={bottom + 18} textAnchor="middle">
          {minutes} min
        </text>
      ))}
    </svg>
  );
}

function SessionLabel({
  x,
  words: [day, times],
}: {
  readonly x: number;
  readonly words: readonly [string, string];
}) {
  return (
    <>
      <text className="label" x={x} y={GROWTH_BOX.bottom + 18}>
        {day}
      </text>
      <text x={x} y={GROWTH_BOX.bottom + 32}>
        {times}
      </text>
    </>
  );
}

function Pastes({ pastes }: { readonly pastes: Drawn['pastes'] }) {
  return pastes.map(({ at, n, x, top, height, hasLabel }) => (
    <g key={`${at} ${n}`}>
      <path
        d={`M${x} ${top}v${height}`}
        stroke="var(--lo-notstarted-mark)"
        strokeWidth="3"
        strokeLinecap="round"
      />
      <circle cx={x} cy={top - 4} r="3" fill="var(--lo-notstarted-mark)" />
      {hasLabel && (
        <text x={x - 7} y={top - 3} textAnchor="end">
          {n.toLocaleString('en')}
        </text>
      )}
    </g>
  ));
}
