/** One number that threads share: 1 while whoever waits for the work has no patience. */
export type Urgency = Int32Array<SharedArrayBuffer>;

/** A share of a quarter: a segment is sealed in some seconds, and the next one is full in half a minute and more. */
const WORK_MS = 10;
const RESTS = 3;

export function openUrgency(): Urgency {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Ends the rest that is under way, too. */
export function hurry(urgency: Urgency): void {
  Atomics.store(urgency, 0, 1);
  Atomics.notify(urgency, 0);
}

export function relax(urgency: Urgency): void {
  Atomics.store(urgency, 0, 0);
}

/**
 * For long work in a thread that may stand still: to be called often, it rests after each 10 ms three times as long as was
 * worked. A low priority is not enough where cores are few: with it alone, answers took longer while a segment was sealed.
 */
export function openRests(
  urgency: Urgency,
  time: { now(): number; rest(ms: number): void } = {
    now: () => performance.now(),
    rest: (ms) => void Atomics.wait(urgency, 0, 0, ms),
  },
): () => void {
  let since = time.now();
  return () => {
    const worked = time.now() - since;
    if (worked < WORK_MS || Atomics.load(urgency, 0) === 1) return;
    time.rest(RESTS * worked);
    since = time.now();
  };
}
