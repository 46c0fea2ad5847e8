/** The product's mark: a caret in a round. */
export function Mark() {
  return (
    <svg viewBox="0 0 20 20" fill="none" aria-hidden="true">
      <circle cx="10" cy="10" r="8.25" stroke="currentColor" strokeWidth="1.75" />
      <path d="M10 5.75v8.5" stroke="var(--lo-accent)" strokeWidth="2.25" strokeLinecap="round" />
    </svg>
  );
}
