const MIB = 1024 * 1024;

/** Sizes and times of the file archive (delivery.md §5, §6, §11). */
export type ArchiveLimits = {
  /** Entries and bytes of one group; an append is never split, so one larger append goes alone. */
  readonly groupEntries: number;
  readonly groupBytes: number;
  /** Bytes that may wait for the disk, or one larger append. */
  readonly queueBytes: number;
  /** An open segment is sealed at this size, and this long after its first entry. */
  readonly sealBytes: number;
  readonly sealAfterMs: number;
  /** Appends are refused while less is free, as bytes and as a share of the disk. */
  readonly minFreeBytes: number;
  readonly minFreeShare: number;
  /** How often free space and the age of the open segment are looked at. */
  readonly checkEveryMs: number;
  /** Rows of the producers table that were silent for longer are dropped. */
  readonly producerDays: number;
};

export const DEFAULT_LIMITS: ArchiveLimits = {
  groupEntries: 4096,
  groupBytes: 4 * MIB,
  queueBytes: 8 * MIB,
  sealBytes: 64 * MIB,
  sealAfterMs: 10 * 60_000,
  minFreeBytes: 1024 * MIB,
  minFreeShare: 0,
  checkEveryMs: 1000,
  producerDays: 400,
};
