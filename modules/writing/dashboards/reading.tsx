import { useEffect, useRef } from 'react';
import { Panel } from '#app/ui/panel.tsx';
import { ScrollBox } from '#app/ui/scroll-box.tsx';
import { aroundCursor, type StudentRow } from './prepare-student.ts';

const NEAR = 80;

/** The text as it is, read-only, in a box that keeps the caret in sight unless the reader scrolled elsewhere. */
export function Reading({ row }: { readonly row: StudentRow }) {
  const box = useRef<HTMLElement>(null);
  const caret = useRef<HTMLSpanElement>(null);
  const left = useRef<number | null>(null);
  const [before, after] = aroundCursor(row);
  useEffect(() => {
    if (before || after) follow(box.current, caret.current, left);
  }, [before, after]);
  const isEmpty = row.text === '';
  return (
    <Panel title="What does it say?" about={row.isCut ? 'the end of a long text' : 'as it is now'}>
      {isEmpty ? (
        <p className="lo-reading is-empty">no text yet</p>
      ) : (
        <ScrollBox className="lo-reading" ref={box} label="Text">
          {before}
          {row.cursor !== null && <span className="lo-caret" ref={caret} />}
          {after}
        </ScrollBox>
      )}
    </Panel>
  );
}

/** Scrolls to the caret, or to the end without one, while the box stands where it was last put. */
function follow(box: HTMLElement | null, caret: HTMLElement | null, left: { current: number | null }): void {
  if (!box) return;
  const hasMoved = left.current !== null && Math.abs(box.scrollTop - left.current) > NEAR;
  if (hasMoved) return;
  const place = caret ? caret.offsetTop - box.clientHeight + NEAR : box.scrollHeight;
  box.scrollTop = Math.max(0, place);
  left.current = box.scrollTop;
}
