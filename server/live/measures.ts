import { type Histogram, openHistogram } from '#server/histogram.ts';

/** What the live engine counts of itself. */
export type LiveMeasures = {
  /** Milliseconds from the receipt of an event to the turn that offers its row to the sockets. */
  readonly rowMs: Histogram;
  rowsRun: number;
  /** Deltas that a slow reader was not sent; the newest values follow when it has read. */
  skipped: number;
  /** Sockets that were closed since they read nothing. */
  stalled: number;
  /** Channels in which a change waits for its row over 2 s, now. */
  delayed: number;
};

export function openLiveMeasures(): LiveMeasures {
  return { rowMs: openHistogram(), rowsRun: 0, skipped: 0, stalled: 0, delayed: 0 };
}
