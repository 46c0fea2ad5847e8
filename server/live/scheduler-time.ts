export type SchedulerTime = {
  /** Monotonic, ms. */
  now(): number;
  /** Gives a function that calls it off. */
  after(ms: number, work: () => void): () => void;
  /** Resolves when everything that needs no outside answer has run. */
  settle(): Promise<void>;
};

export function systemTime(): SchedulerTime {
  return { now: () => performance.now(), after, settle };
}

function after(ms: number, work: () => void): () => void {
  if (ms <= 0) {
    const soon = setImmediate(work);
    return () => clearImmediate(soon);
  }
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

/** The next-tick queue is looked at again only when all promises that can go on have gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
