import type { DeclinedCode, RefusedCode } from '#server/errors.ts';
import { type Connection, type Core, capturedAt, REFUSALS, refusedNow, retryAfterMs } from './core.ts';
import { begin, confirm, type Producer, undo, whenDurable } from './dedupe.ts';
import { slowDownMs, take } from './limits.ts';
import { endRun, eventAt, type Plan, planBatch, type Received } from './plan-batch.ts';
import type { Answer, Refused, Stored } from './protocol.ts';

/**
 * Steps 2 and 5 to 8 of delivery.md §4 for a batch with ids, after `hello`. Calls `answer` exactly once: `stored` when every
 * seq of the batch has its end durably, or `refused`, and then nothing of it was kept.
 */
export function acceptBatch(
  core: Core,
  connection: Connection,
  received: Received,
  answer: (answer: Answer) => void,
): void {
  const { batch } = received;
  const producer = producerOf(connection);
  const count = batch.events.length;
  // What waits for the disk must not hold the whole batch: thousands of them wait at once.
  const { from } = batch;
  core.counter.received(connection.edge, count);
  const refuse = (code: RefusedCode, more: Partial<Refused> = {}) => {
    core.counter.ended(connection.edge, 'refused', count, code);
    answer({ type: 'refused', code, message: REFUSALS[code], from, ...more });
  };
  if (batch.from > producer.last + 1) {
    refuse('gap', { expected: producer.last + 1 });
    return;
  }
  const full = refusedNow(core);
  if (full) {
    refuse(full, { retryAfterMs: retryAfterMs(full) });
    return;
  }
  const verdicts = decideAll(core, connection, received);
  if (verdicts === 'not-ready') {
    refuse('not-ready', { retryAfterMs: retryAfterMs('not-ready') });
    return;
  }
  const limited = takeFor(core, connection, received);
  if (limited) {
    refuse(limited.code, { retryAfterMs: limited.retryAfterMs });
    return;
  }
  const plan = planBatch(core, connection, received, producer, verdicts);
  finish(core, connection, received, { plan, producer, answer, refuse });
}

function producerOf(connection: Connection): Producer {
  if (!connection.producer) throw new Error('a batch was accepted before hello');
  return connection.producer;
}

/** The rules' word on each event; null while all may be collected, which is the rule. */
function decideAll(
  core: Core,
  connection: Connection,
  received: Received,
): (DeclinedCode | null)[] | 'not-ready' | null {
  const { student } = connection.identity;
  const { events } = received.batch;
  let verdicts: (DeclinedCode | null)[] | null = null;
  for (let i = 0; i < events.length; i++) {
    const { sentAt } = eventAt(events, i);
    const verdict = core.rules.decide(student, capturedAt(sentAt, connection.offset, received.at));
    if (verdict === 'not-ready') return verdict;
    if (verdict === null && verdicts === null) continue;
    verdicts ??= new Array(events.length).fill(null);
    verdicts[i] = verdict;
  }
  return verdicts;
}

function takeFor(core: Core, connection: Connection, received: Received) {
  const { batch, at, bytes } = received;
  const captured = capturedAt(eventAt(batch.events, 0).sentAt, connection.offset, at);
  return take(connection.meter, core.limits, {
    events: batch.events.length,
    bytes,
    isOld: at - captured > core.limits.catchUpAfterMs && core.archive.pressure() < core.limits.catchUpBelow,
    nowMs: at,
    monotonicMs: core.clock.monotonic(),
  });
}

type Finish = {
  readonly plan: Plan;
  readonly producer: Producer;
  readonly answer: (answer: Answer) => void;
  readonly refuse: (code: RefusedCode, more?: Partial<Refused>) => void;
};

/** Step 8. The answer leaves when the archive, or the original of a duplicate, is durable. */
function finish(core: Core, connection: Connection, received: Received, end: Finish): void {
  const { plan, producer, refuse } = end;
  const { batch, at } = received;
  endRun(plan);
  const upTo = batch.from + batch.events.length - 1;
  const close = () => {
    countEnds(core, connection, plan);
    end.answer(storedAnswer(core, connection, plan, upTo));
  };
  if (plan.drafts.length === 0) {
    whenDurable(producer, plan.repeated, (isDurable) =>
      isDurable ? close() : refuse('archive-failed', { retryAfterMs: retryAfterMs('archive-failed') }),
    );
    return;
  }
  // Without a new seq (conflicts alone) a failure frees none.
  const first = plan.fresh === 0 ? Number.POSITIVE_INFINITY : upTo - plan.fresh + 1;
  const generation = begin(producer);
  core.archive.append(plan.drafts, (refused) => {
    if (refused === null) {
      confirm(producer, upTo, at);
      whenDurable(producer, plan.repeated, (isDurable) => (isDurable ? close() : refuse('archive-failed')));
    } else {
      undo(producer, first, generation);
      refuse(refused, { retryAfterMs: retryAfterMs(refused) });
    }
  });
}

function countEnds(core: Core, connection: Connection, plan: Plan): void {
  const { counter } = core;
  if (plan.stored > 0) counter.ended(connection.edge, 'stored', plan.stored);
  if (plan.duplicates > 0) counter.ended(connection.edge, 'duplicate', plan.duplicates);
  if (plan.badCount > 0) counter.ended(connection.edge, 'bad', plan.badCount);
  if (plan.declinedCount > 0) counter.ended(connection.edge, 'declined', plan.declinedCount);
}

function storedAnswer(core: Core, connection: Connection, plan: Plan, upTo: number): Stored {
  const slow = slowDownMs(connection.meter, core.limits);
  if (slow === 0 && plan.declined.length === 0) return { type: 'stored', upTo, bad: plan.bad };
  return {
    type: 'stored',
    upTo,
    bad: plan.bad,
    ...(plan.declined.length > 0 ? { declined: plan.declined } : {}),
    ...(slow > 0 ? { slowDownMs: slow } : {}),
  };
}
