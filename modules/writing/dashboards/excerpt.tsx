import { memo } from 'react';

/**
 * The words around the cursor with the caret between them. A space before the caret at the end of a text does not
 * break, or the caret would stand alone on a line.
 */
export const Excerpt = memo(function Excerpt(props: {
  readonly before: string;
  readonly after: string;
  readonly empty: string;
}) {
  const before = props.before.replace(/\s+/g, ' ');
  const after = props.after.replace(/\s+/g, ' ');
  if (before === '' && after === '') return <p className="lo-card__excerpt is-empty">{props.empty}</p>;
  return (
    <p className="lo-card__excerpt">
      <span>
        {after.trim() === '' ? before.replace(/ $/, '\u00a0') : before}
        <span className="lo-caret" />
        {after}
      </span>
    </p>
  );
});
