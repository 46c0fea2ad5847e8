const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Full jitter: anything from 0 to a bound that doubles with each attempt. `attempt` from 0; `random` in [0, 1). */
export function reconnectDelay(attempt: number, random: number): number {
  return random * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
}
