/** How late the event loop's timers are. */
export type LoopDelay = {
  /** 99 % of the samples of the last ten seconds were at most this, ms; looked at once a second. */
  p99Ms(): number;
  /** Over a second at p99: nothing new should come here (delivery.md §11). Never in the first ten seconds. */
  isOverloaded(): boolean;
  close(): void;
};

/** Calls `tick` every so many milliseconds, as well as the loop manages; gives what ends it. */
export type Ticking = (tick: () => void, everyMs: number) => () => void;

const EVERY_MS = 20;
const WINDOW_MS = 10_000;
const LOOK_MS = 1_000;
const MOST_MS = 1_000;

const byTimer: Ticking = (tick, everyMs) => {
  const timer = setInterval(tick, everyMs).unref();
  return () => clearInterval(timer);
};

/**
 * Samples the delay over a sliding window. The platform's `monitorEventLoopDelay` begins anew at each reset, where one
 * pause would count as overload; here a pause is one sample of hundreds.
 */
export function openLoopDelay(now: () => number = () => performance.now(), ticking = byTimer): LoopDelay {
  const openedAt = now();
  let samples: { readonly at: number; readonly ms: number }[] = [];
  let last = openedAt;
  let lookedAt = openedAt;
  let p99Ms = 0;
  const stop = ticking(() => {
    const at = now();
    samples.push({ at, ms: Math.max(0, at - last - EVERY_MS) });
    last = at;
    if (at - lookedAt < LOOK_MS) return;
    lookedAt = at;
    samples = samples.filter((sample) => sample.at > at - WINDOW_MS);
    p99Ms = quantile99(samples.map(({ ms }) => ms));
  }, EVERY_MS);
  return {
    p99Ms: () => p99Ms,
    isOverloaded: () => p99Ms > MOST_MS && last - openedAt >= WINDOW_MS,
    close: stop,
  };
}

function quantile99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
}
