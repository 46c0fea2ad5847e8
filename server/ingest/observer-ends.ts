import { CLOSE } from '#server/errors.ts';
import type { OneEnd } from './accept-one.ts';
import { type Core, REFUSALS } from './core.ts';
import type { Answers } from './observer-answers.ts';
import { dropFor, holdFor } from './observer-policy.ts';

export type Ends = {
  /** Says what became of a frame, where an old client should know. */
  tell(frame: number, end: OneEnd, student: string | undefined): void;
  close(): void;
};

type Wire = { send(frame: object): void; close(code: number): void };

/** Ends of data events in the words of wire.md §A2 and §A8. */
export function openEnds(core: Core, wire: Wire, answers: Answers): Ends {
  let timer: NodeJS.Timeout | undefined;

  /** The socket is left open, since it would come straight back; it is closed after ten minutes. */
  function block(told: object | undefined): void {
    if (!told) return;
    wire.send(told);
    if (timer === undefined) timer = setTimeout(() => wire.close(CLOSE.ended), core.limits.old.blockedMs);
  }

  return {
    tell(frame, end, student) {
      if (end.end === 'bad') answers.tell({ result: 'bad', frame, code: end.code, message: end.message });
      if (end.end === 'declined') {
        block(dropFor(end.code, core.rules, student ?? '', core.clock.now()));
        answers.tell({ result: 'declined', frame, code: end.code, message: 'this may not be collected' });
      }
      if (end.end === 'refused') {
        if (end.code === 'daily-quota') block(holdFor(end.code, end.retryAfterMs));
        else if (end.code === 'held' && student !== undefined) wire.send(holdFor('held', 0));
        answers.tell({ result: 'refused', frame, code: end.code, message: REFUSALS[end.code] });
      }
    },
    close: () => clearTimeout(timer),
  };
}
