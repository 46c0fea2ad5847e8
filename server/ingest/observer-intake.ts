import { acceptOne, type OneEnd, type OneEvent } from './accept-one.ts';
import type { OpenConnection } from './connections.ts';
import type { Core } from './core.ts';
import { openWaiting } from './observer-waiting.ts';
import type { ObserverWire } from './observer-wire.ts';

type On = {
  readonly connection: () => OpenConnection | undefined;
  readonly end: (frame: number, end: OneEnd) => void;
};

/**
 * Brings the events of a known student to the archive, in order. What is refused for now waits here with the reading paused,
 * since the client has forgotten it; only a used-up quota, a stop, or a minute without progress ends it as refused.
 */
export function openIntake(core: Core, wire: ObserverWire, on: On): { add(one: OneEvent): void } {
  const most = core.limits.unansweredEvents;
  let inFlight = 0;
  const waiting = openWaiting<OneEvent>(core.limits.old, core.clock, {
    submit,
    hold: (isHeld) => wire.hold('waiting', isHeld),
    giveUp: (one) => on.end(one.seq, { end: 'refused', code: 'held', retryAfterMs: 0 }),
  });

  function submit(one: OneEvent): void {
    const connection = on.connection();
    if (!connection) return;
    inFlight += 1;
    if (inFlight >= most) wire.hold('in-flight', true);
    acceptOne(core, connection, one, (given) => {
      inFlight -= 1;
      if (inFlight < most) wire.hold('in-flight', false);
      const isForLater = given.end === 'refused' && given.code !== 'daily-quota' && !core.isStopping;
      if (isForLater) waiting.tryLater(one, given.retryAfterMs);
      else on.end(one.seq, given);
    });
  }

  return { add: waiting.add };
}
