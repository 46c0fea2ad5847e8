const ROWS = 27;
const ROW_HEIGHT = 30;
const RIGHT = 700;
const CARET_ROWS = new Set([4, 9, 13, 17, 22]);

/** Lines of a page with a few carets, the same on every visit. */
export function PaperPattern() {
  return (
    <svg
      width="100%"
      height="100%"
      viewBox="0 0 680 820"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      {Array.from({ length: ROWS }, (_, row) => lineOf(row)).flat()}
    </svg>
  );
}

function lineOf(row: number) {
  const next = sequence(row + 9);
  const y = ROW_HEIGHT * (row + 1);
  const end = CARET_ROWS.has(row) ? 240 + next() * 340 : RIGHT;
  const marks = [];
  let x = 40 - next() * 60;
  while (x < end) {
    const width = 18 + next() * 74;
    const opacity = 0.45 + next() * 0.55;
    marks.push(
      <rect
        key={`${row} ${x}`}
        x={x}
        y={y}
        width={width}
        height="7"
        rx="3.5"
        fill="var(--lo-line)"
        opacity={opacity}
      />,
    );
    x += width + 9;
  }
  if (end < RIGHT) {
    marks.push(
      <rect key={`caret ${row}`} x={x} y={y - 8} width="3" height="23" rx="1.5" fill="var(--lo-accent)" />,
    );
  }
  return marks;
}

/** Numbers from 0 to 1 that look random and follow from the seed (Park and Miller's generator). */
function sequence(seed: number): () => number {
  let state = seed * 7919;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return Math.round((state / 0x7fffffff) * 1000) / 1000;
  };
}
