import { ACCESS_MUTANTS } from './access.ts';
import { ARCHIVE_MUTANTS } from './archive.ts';
import { INGEST_MUTANTS } from './ingest.ts';
import { LIVE_MUTANTS } from './live.ts';
import type { Mutant } from './mutant.ts';
import { STREAM_MUTANTS } from './stream.ts';

/**
 * All of them. Not here yet: M13 and M14, which sabotage the sink, and M36, which sabotages row security in the
 * database; they come with what they sabotage, as do M19 to M32 and P1 to P7.
 */
export const MUTANTS: readonly Mutant[] = [
  ...ARCHIVE_MUTANTS,
  ...INGEST_MUTANTS,
  ...STREAM_MUTANTS,
  ...LIVE_MUTANTS,
  ...ACCESS_MUTANTS,
];
