const KEPT = [
  [
    'What you type',
    'Insertions and deletions, with time. So that your teacher can see how a text grows, not only how it ends.',
    'teachers of your class',
  ],
  [
    'Kinds of keys',
    'Letter or digit, delete, move; not which letter. The text itself comes from what the document saves.',
    'teachers, as pauses only',
  ],
  ['Pastes', 'Time, size, and whether the words were in your text before.', 'teachers of your class'],
  [
    'When the document is in front',
    'To know whether you are there or have another window open. Not which window.',
    'teachers, as a count',
  ],
] as const;

/** What is collected about a student, in plain words, and who sees it. */
export function WhatIsKept({ teachers }: { readonly teachers: readonly string[] }) {
  return (
    <section className="lo-panel" aria-labelledby="kept">
      <div className="lo-panel__head">
        <h2 id="kept">What is collected about me</h2>
        <span className="lo-meta">and why, and who sees it</span>
      </div>
      {KEPT.map(([what, why, who]) => (
        <dl key={what} className="lo-kept">
          <dt>{what}</dt>
          <dd>{why}</dd>
          <dd className="lo-meta">{who}</dd>
        </dl>
      ))}
      <p className="lo-kept-foot lo-meta">
        Never: passwords, other sites, private windows, other tabs. Not used for grades. Your teachers here:{' '}
        {teachers.join(', ') || 'none yet'}. Each time one of them looks, it is written down.
      </p>
    </section>
  );
}
