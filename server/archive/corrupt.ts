/** Exit code of a start that found the archive damaged (delivery.md §5). */
export const EXIT_CORRUPT = 5;

/**
 * The archive is damaged in a way that no crash explains: the start ends with `EXIT_CORRUPT` and changes nothing.
 * `place` names file and byte; for the log, never for an answer.
 */
export class ArchiveCorruptError extends Error {
  readonly exitCode = EXIT_CORRUPT;
  readonly place: string;
  constructor(place: string, reason: string, message?: string) {
    super(message ?? `the archive is damaged at ${place}: ${reason}; restore it from a backup`);
    this.name = 'ArchiveCorruptError';
    this.place = place;
  }
}

/** A file that a later version of this software wrote: nothing is damaged, and nothing of it may be touched. */
export function unknownFormat(place: string, format: number): ArchiveCorruptError {
  const message = `the archive at ${place} has format ${format}, and this version knows format 1 alone: start it with the version that wrote it, or a later one`;
  return new ArchiveCorruptError(place, 'its format is not known', message);
}
