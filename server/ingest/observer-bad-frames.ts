import type { OpenConnection } from './connections.ts';
import type { Ingest } from './ingest.ts';
import type { Answers } from './observer-answers.ts';
import type { Barrier } from './observer-barrier.ts';
import { type BadFrame, keepableText } from './observer-frames.ts';

/** Which frame of its socket it was. */
type About = { readonly n: number; readonly at: number; readonly bytes: number };

/**
 * Frames that cannot be events: each is answered and counted, and kept as a bad row once it is known whose it is. `text`:
 * what the row may keep; null: nothing.
 */
export function openBadFrames(
  ingest: Ingest,
  answers: Answers,
  barrier: Barrier,
  connectionNow: () => OpenConnection | undefined,
): (fault: BadFrame, about: About, text: string | null) => void {
  const { counter } = ingest.core;
  return (fault, about, text) => {
    const { n } = about;
    const told = () => answers.tell({ result: 'bad', frame: n, code: fault.code, message: fault.message });
    const connection = connectionNow();
    barrier.begin(n);
    if (!connection) {
      counter.received('learning-observer', 1);
      counter.ended('learning-observer', 'bad', 1, fault.code);
      told();
      barrier.end(n);
      return;
    }
    const original = text === null ? null : keepableText(text);
    ingest.acceptBadFrame(connection, { ...fault, original, bytes: about.bytes, at: about.at }, (answer) => {
      if (answer.type === 'refused') {
        answers.tell({ result: 'refused', frame: n, code: answer.code, message: answer.message });
      } else told();
      barrier.end(n);
    });
  };
}
