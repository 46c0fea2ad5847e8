import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Archive } from './archive/archive.ts';
import type { ArchiveMeasures } from './archive/measures.ts';
import type { Conservation } from './conservation.ts';
import { REFUSED_CODES } from './errors.ts';
import type { Ingest } from './ingest/ingest.ts';
import type { Live } from './live/live.ts';
import type { LoopDelay } from './loop-delay.ts';
import { addCounter, addGauge, addHistogram } from './metrics-families.ts';
import type { OwnerMeasures } from './stream/measures.ts';
import type { Owner } from './stream/owner.ts';

/** What is measured. Rooms count for themselves in plain values; this reads them at each scrape. */
export type Measured = {
  readonly archive: Pick<Archive, 'pressure' | 'refusing' | 'end'>;
  readonly archiveMeasures: ArchiveMeasures;
  readonly ingest: Pick<Ingest, 'counts' | 'core' | 'connections'>;
  readonly conservation: Pick<Conservation, 'difference'>;
  readonly owner: Pick<Owner, 'status'>;
  readonly ownerMeasures: OwnerMeasures;
  readonly live: Pick<Live, 'channels' | 'measures'>;
  /** Connections of dashboards. */
  readonly dashboards: () => number;
  readonly loopDelay: Pick<LoopDelay, 'p99Ms' | 'isOverloaded'>;
  readonly isReady: () => boolean;
};

const SECONDS = 1 / 1000;
const PHASES = ['starting', 'running', 'fenced', 'closed'] as const;
const ENDS = ['stored', 'duplicate', 'bad', 'declined', 'refused'] as const;

/** Every metric by name; labels are edges, ends, codes and phases, never a student or a class (access.md §9). */
export function openMetrics(measured: Measured): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addIngest(registry, measured);
  addArchive(registry, measured);
  addOwner(registry, measured);
  addLive(registry, measured);
  addProcess(registry, measured);
  return registry;
}

function addIngest(registry: Registry, { ingest, conservation }: Measured): void {
  const edges = () => Object.entries(ingest.counts().edges);
  addCounter(
    registry,
    { name: 'ingest_received_total', help: 'Events that came in.' },
    () => edges().map(([edge, { received }]) => [{ edge }, received]),
    ['edge'],
  );
  addCounter(
    registry,
    { name: 'ingest_ended_total', help: 'Events by how they ended.' },
    () => edges().flatMap(([edge, counts]) => ENDS.map((end) => [{ edge, end }, counts[end]] as const)),
    ['edge', 'end'],
  );
  addCounter(
    registry,
    { name: 'ingest_codes_total', help: 'Events that did not end as stored, by code.' },
    () => Object.entries(ingest.counts().codes).map(([code, count]) => [{ code }, count]),
    ['code'],
  );
  addCounter(
    registry,
    { name: 'ingest_notes_total', help: 'Connections by what is worth knowing of them.' },
    () => Object.entries(ingest.counts().notes).map(([code, count]) => [{ code }, count]),
    ['code'],
  );
  addGauge(
    registry,
    { name: 'ingest_in_flight', help: 'Events without an end yet.' },
    () => Object.entries(ingest.core.flight).map(([edge, count]) => [{ edge }, count]),
    ['edge'],
  );
  addGauge(
    registry,
    { name: 'ingest_connections', help: 'Open connections of students whose identity is known.' },
    () => [...countEdges(ingest)].map(([edge, count]) => [{ edge }, count]),
    ['edge'],
  );
  addGauge(
    registry,
    {
      name: 'ingest_conservation_difference',
      help: 'Events with no end and not in flight, or with two; 0 is right.',
    },
    () => conservation.difference(),
  );
  addHistogram(
    registry,
    { name: 'ingest_acknowledgement_seconds', help: 'From the receipt of a batch to its answer.' },
    () => ingest.core.acknowledgement.snapshot(),
    SECONDS,
  );
}

function countEdges(ingest: Measured['ingest']): Map<string, number> {
  const counts = new Map(Object.keys(ingest.core.flight).map((edge) => [edge, 0]));
  for (const { edge } of ingest.connections()) counts.set(edge, (counts.get(edge) ?? 0) + 1);
  return counts;
}

function addArchive(registry: Registry, { archive, archiveMeasures: measures }: Measured): void {
  addGauge(registry, { name: 'archive_queue_share', help: 'How full the append queue is; 1 is full.' }, () =>
    archive.pressure(),
  );
  addGauge(
    registry,
    { name: 'archive_refusing', help: '1 for the code with which appends are refused now.' },
    () => REFUSED_CODES.map((code) => [{ code }, Number(archive.refusing() === code)]),
    ['code'],
  );
  addHistogram(
    registry,
    { name: 'archive_sync_seconds', help: 'Of each fdatasync.' },
    () => measures.syncMs.snapshot(),
    SECONDS,
  );
  addHistogram(registry, { name: 'archive_group_entries', help: 'Entries written together.' }, () =>
    measures.groupEntries.snapshot(),
  );
  addCounter(
    registry,
    { name: 'archive_groups_total', help: 'Groups written and synced.' },
    () => measures.groups,
  );
  addCounter(
    registry,
    { name: 'archive_entries_total', help: 'Entries written and synced.' },
    () => measures.entries,
  );
  addCounter(
    registry,
    { name: 'archive_bytes_total', help: 'Bytes written and synced.' },
    () => measures.bytes,
  );
  addGauge(
    registry,
    { name: 'archive_free_bytes', help: 'Free on the disk of the archive.' },
    () => measures.freeBytes ?? Number.NaN,
  );
  addGauge(
    registry,
    { name: 'archive_unsealed_segments', help: 'Closed segments that wait for their seal.' },
    () => measures.unsealed,
  );
  addGauge(registry, { name: 'archive_end_offset', help: 'Offset of the next entry.' }, () => archive.end());
}

function addOwner(registry: Registry, { owner, ownerMeasures: measures }: Measured): void {
  const gauge = (name: string, help: string, read: (status: ReturnType<Owner['status']>) => number) =>
    addGauge(registry, { name, help }, () => read(owner.status()));
  addGauge(
    registry,
    { name: 'owner_phase', help: '1 for the phase that the owner is in.' },
    () => PHASES.map((phase) => [{ phase }, Number(owner.status().phase === phase)]),
    ['phase'],
  );
  gauge('owner_applied_offset', 'Last entry folded in memory.', ({ applied }) => applied);
  gauge('owner_checkpoint_offset', 'Last entry folded in the store.', ({ checkpoint }) => checkpoint);
  gauge('owner_behind_entries', 'Durable entries not folded yet.', ({ behind }) => behind);
  gauge('owner_dirty_bytes', 'States that wait for the store.', ({ dirtyBytes }) => dirtyBytes);
  gauge('owner_hot_bytes', 'States in memory.', ({ hotBytes }) => hotBytes);
  gauge('owner_hot_students', 'Students whose states are in memory.', ({ students }) => students);
  gauge('owner_store_silent', '1 while the state store does not answer.', (status) =>
    Number(status.isStoreSilent),
  );
  gauge('owner_rebuild_done', 'Students folded again.', ({ rebuilding }) => rebuilding.done);
  gauge('owner_rebuild_total', 'Students to be folded again.', ({ rebuilding }) => rebuilding.total);
  addHistogram(
    registry,
    { name: 'owner_flush_seconds', help: 'Of each flush that the store answered.' },
    () => measures.flushMs.snapshot(),
    SECONDS,
  );
  addCounter(
    registry,
    { name: 'owner_flush_failures_total', help: 'Flushes without an answer.' },
    () => measures.flushFailures,
  );
  addCounter(
    registry,
    { name: 'owner_halts_total', help: 'Keys of reducers that came to a standstill.' },
    () => Object.entries(measures.halts).map(([code, count]) => [{ code }, count]),
    ['code'],
  );
}

function addLive(registry: Registry, { live, dashboards }: Measured): void {
  const { measures } = live;
  addGauge(registry, { name: 'live_sockets', help: 'Connections of dashboards.' }, dashboards);
  addGauge(registry, { name: 'live_channels', help: 'Open channels.' }, live.channels);
  addGauge(
    registry,
    { name: 'live_delayed_channels', help: 'Channels where a change waits over 2 s.' },
    () => measures.delayed,
  );
  addCounter(registry, { name: 'live_rows_run_total', help: 'Rows that were run.' }, () => measures.rowsRun);
  addCounter(
    registry,
    { name: 'live_skipped_total', help: 'Deltas not sent to a slow reader.' },
    () => measures.skipped,
  );
  addCounter(
    registry,
    { name: 'live_stalled_total', help: 'Sockets closed since they read nothing.' },
    () => measures.stalled,
  );
  addHistogram(
    registry,
    { name: 'live_row_seconds', help: 'From the receipt of an event to its row.' },
    () => measures.rowMs.snapshot(),
    SECONDS,
  );
}

function addProcess(registry: Registry, { loopDelay, isReady }: Measured): void {
  addGauge(
    registry,
    { name: 'process_loop_delay_p99_seconds', help: 'Of the last ten seconds.' },
    () => loopDelay.p99Ms() * SECONDS,
  );
  addGauge(registry, { name: 'process_overloaded', help: '1 while new sockets are refused.' }, () =>
    Number(loopDelay.isOverloaded()),
  );
  addGauge(registry, { name: 'process_ready', help: '1 while new traffic is wanted.' }, () =>
    Number(isReady()),
  );
}
