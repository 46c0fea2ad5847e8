'use client';
import { type ReactNode, useEffect, useId, useRef } from 'react';

/** A modal dialog while it is mounted; Escape, the backdrop and the button close it. */
export function Dialog(props: {
  readonly title: string;
  readonly closeLabel: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog className="lo-dialog" ref={dialog} aria-labelledby={title} onClose={props.onClose}>
      <h2 id={title}>{props.title}</h2>
      {props.children}
      <form method="dialog" className="buttons">
        <button type="submit" className="button is-link">
          {props.closeLabel}
        </button>
      </form>
    </dialog>
  );
}
