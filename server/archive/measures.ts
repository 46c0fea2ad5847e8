import { type Histogram, openHistogram } from '#server/histogram.ts';

/** What the archive's disk does, counted in place by its writer. */
export type ArchiveMeasures = {
  /** Milliseconds that each `fdatasync` took. */
  readonly syncMs: Histogram;
  /** Entries of each group. */
  readonly groupEntries: Histogram;
  groups: number;
  entries: number;
  bytes: number;
  /** As last looked at; null: not yet. */
  freeBytes: number | null;
  /** Closed segments that are not sealed yet. */
  unsealed: number;
};

const ENTRY_BOUNDS = [1, 4, 16, 64, 256, 1_024, 4_096];

export function openArchiveMeasures(): ArchiveMeasures {
  return {
    syncMs: openHistogram(),
    groupEntries: openHistogram(ENTRY_BOUNDS),
    groups: 0,
    entries: 0,
    bytes: 0,
    freeBytes: null,
    unsealed: 0,
  };
}
