import { type Histogram, openHistogram } from '#server/histogram.ts';
import type { Halt } from './states.ts';

/** What the owner counts of itself, beside its status. */
export type OwnerMeasures = {
  /** Milliseconds from the cut of a flush to the store's answer. */
  readonly flushMs: Histogram;
  /** Flushes that the store did not take. */
  flushFailures: number;
  /** Keys that came to a standstill since the start. */
  readonly halts: Record<Halt['code'], number>;
};

export function openOwnerMeasures(): OwnerMeasures {
  return {
    flushMs: openHistogram(),
    flushFailures: 0,
    halts: { threw: 0, 'not-json': 0, 'too-big': 0, 'too-many-emits': 0 },
  };
}
