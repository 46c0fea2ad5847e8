import { type ReactNode, useId } from 'react';

/** A framed part of a page. `title` is the teacher's question, `about` the name of the form and its unit. */
export function Panel(props: {
  readonly title: string;
  readonly about?: string;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className="lo-panel" aria-labelledby={id}>
      <div className="lo-panel__head">
        <h2 id={id}>{props.title}</h2>
        {props.about && <span className="lo-meta">{props.about}</span>}
        {props.tools && <span className="lo-panel__tools">{props.tools}</span>}
      </div>
      {props.children}
    </section>
  );
}
