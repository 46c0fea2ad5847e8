/**
 * One document's time. `low` and `lowBefore`: least delay (`at − sentAt`, ms) of the running window of 64 events and
 * of the one before it; `n`: events in the running window.
 */
export type Clock = {
  readonly t: number;
  readonly low: number | null;
  readonly lowBefore: number | null;
  readonly n: number;
};

export const NEW_CLOCK: Clock = { t: 0, low: null, lowBefore: null, n: 0 };
const WINDOW = 64;

/**
 * Moves a clock on by one event: wrong client clocks cancel out, a spool that comes late keeps its true distances,
 * nothing lies in the future and time never runs back.
 *
 * @param at server time of arrival, ms.
 * @param sentAt client time, ms; without it the event happened when it arrived.
 */
export function tick(clock: Clock, at: number, sentAt?: number): Clock {
  if (sentAt === undefined) return { ...clock, t: Math.max(clock.t, at) };
  const delay = at - sentAt;
  const isFull = clock.n >= WINDOW;
  const low = isFull || clock.low === null ? delay : Math.min(clock.low, delay);
  const lowBefore = isFull ? clock.low : clock.lowBefore;
  const offset = lowBefore === null ? low : Math.min(low, lowBefore);
  return { t: Math.max(clock.t, Math.min(at, sentAt + offset)), low, lowBefore, n: isFull ? 1 : clock.n + 1 };
}
