import type { BadCode } from '#server/errors.ts';
import { badRow, type Connection, type Core, frameRow, REFUSALS, refusedNow, retryAfterMs } from './core.ts';
import { take } from './limits.ts';
import type { Answer } from './protocol.ts';

/** `original` null: its text must not be kept. */
export type BadFrameInput = {
  readonly code: BadCode;
  readonly message: string;
  readonly original: string | null;
  readonly bytes: number;
  readonly at: number;
};

/**
 * A frame that is no batch becomes a bad row without a seq. Calls `answer` once: when the row is durable, where nothing may be
 * kept of the student, or when it is refused.
 */
export function acceptBadFrame(
  core: Core,
  connection: Connection,
  frame: BadFrameInput,
  answer: (answer: Answer) => void,
): void {
  const { counter } = core;
  const { edge } = connection;
  counter.received(edge, 1);
  const wanted = {
    events: 1,
    bytes: frame.bytes,
    isOld: false,
    nowMs: frame.at,
    monotonicMs: core.clock.monotonic(),
  };
  const limited = take(connection.meter, core.limits, wanted);
  const full = limited?.code ?? refusedNow(core);
  const refuse = (code: NonNullable<typeof full>, retry = retryAfterMs(code)) => {
    counter.ended(edge, 'refused', 1, code);
    answer({ type: 'refused', code, message: REFUSALS[code], retryAfterMs: retry });
  };
  if (full) {
    refuse(full, limited?.retryAfterMs);
    return;
  }
  const end = () => {
    counter.ended(edge, 'bad', 1, frame.code);
    answer({ type: 'bad-frame', code: frame.code, message: frame.message });
  };
  // While the student is not collected at all, a count is all that is kept.
  if (core.rules.decide(connection.identity.student, frame.at) !== null) {
    end();
    return;
  }
  const row = frameRow(core, connection, frame.at, badRow(frame.code, frame.original));
  core.archive.append([row], (refused) => (refused === null ? end() : refuse(refused)));
}
