import type { ReactNode } from 'react';

const PAGES = [
  { x: 0, y: 8, isDashed: true },
  { x: 60, y: 0, isDashed: false },
  { x: 120, y: 8, isDashed: true },
];

/** A page without content: a small drawing, a fact, one sentence, one or two ways on. */
export function Empty(props: {
  readonly fact: string;
  readonly sentence: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="lo-empty">
      <svg
        className="lo-empty__art"
        width="176"
        height="96"
        viewBox="0 0 176 96"
        fill="none"
        aria-hidden="true"
      >
        {PAGES.map(({ x, y, isDashed }) => (
          <g key={x} transform={`translate(${x} ${y})`}>
            <rect
              x=".75"
              y=".75"
              width="54.5"
              height="70"
              rx="7"
              fill="var(--lo-surface)"
              stroke="var(--lo-line-strong)"
              strokeWidth="1.5"
              strokeDasharray={isDashed ? '3 4' : undefined}
            />
            <path
              d={`M10 16h22M10 28h34M10 38h${isDashed ? 34 : 20}`}
              stroke="var(--lo-line)"
              strokeWidth="4"
              strokeLinecap="round"
            />
            {!isDashed && (
              <path d="M37 33v11" stroke="var(--lo-accent)" strokeWidth="2.5" strokeLinecap="round" />
            )}
          </g>
        ))}
      </svg>
      <h2>{props.fact}</h2>
      <p>{props.sentence}</p>
      {props.children && <div className="buttons">{props.children}</div>}
    </div>
  );
}
