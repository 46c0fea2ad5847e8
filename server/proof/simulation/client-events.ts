import type { Sent, Stored } from '#server/ingest/protocol.ts';
import type { Random } from './random.ts';

const MONTH_MS = 30 * 86_400_000;

/** What a student may do: mostly good events, now and then one of no shape or of no known name, and some a month old. */
export function eventOf(random: Random, nowMs: number): Sent {
  const sentAt = nowMs - (random.chance(0.1) ? MONTH_MS : 0);
  const body = { doc: `d${random.below(3)}`, n: random.below(1_000) };
  const kind = random.below(20);
  if (kind === 0) return { event: 'mark', sentAt, body: { ...body, n: 'no number' } };
  if (kind === 1) return { event: 'unheard-of', sentAt, body };
  return { event: kind < 7 ? 'ripple' : 'mark', sentAt, body };
}

/** Events that had their end and were sent once more: as they were, or with other bodies. */
export type Repeated = {
  readonly from: number;
  readonly count: number;
  readonly isTampered: boolean;
};

/** With other bodies each is a conflict, unless it was declined; as it was, each is a duplicate. */
export function checkRepeated(
  answer: Stored,
  { from, count, isTampered }: Repeated,
  complain: (what: string) => void,
): void {
  const conflicts = new Set(answer.bad.filter((bad) => bad.code === 'id-conflict').map((bad) => bad.seq));
  const isDeclined = (seq: number) => answer.declined?.some((run) => run.from <= seq && seq <= run.to);
  for (let seq = from; seq < from + count; seq++) {
    const isConflict = conflicts.has(seq);
    if (isTampered && !isConflict && !isDeclined(seq)) complain(`${seq} was changed and no conflict`);
    if (!isTampered && isConflict) complain(`${seq} is a conflict though it was never changed`);
  }
}
