/** The pattern for *no signal*, to be drawn once on a page that has charts. */
export function HatchPattern() {
  return (
    <svg width="0" height="0" style={{ position: 'absolute' }} aria-hidden="true">
      <defs>
        <pattern
          id="lo-hatch"
          width="5"
          height="5"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="2" height="5" fill="var(--lo-line-strong)" />
        </pattern>
      </defs>
    </svg>
  );
}
