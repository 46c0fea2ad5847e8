import { AppError } from '#server/errors.ts';
import { lockDirectory } from '#server/lock.ts';
import type { Archive, ProducerRow } from './archive.ts';
import type { SealedPicture } from './by-student.ts';
import type { Entry } from './entry.ts';
import { diskFileSystem, type FileSystem, isFull } from './file-system.ts';
import { createGroupQueue } from './group-queue.ts';
import { type ArchiveLimits, DEFAULT_LIMITS } from './limits.ts';
import { type ArchiveMeasures, openArchiveMeasures } from './measures.ts';
import { openMender } from './mend.ts';
import { createOpenSegment, type OpenSegment } from './open-segment.ts';
import { decodeProducers, hashesOf } from './producers-table.ts';
import { readEntries, readStudentEntries } from './read-archive.ts';
import { findSegments } from './recover.ts';
import { hurry, openUrgency } from './rests.ts';
import { type RunSeal, sealInWorker } from './run-seal.ts';
import { checkSealed, readProducersTable } from './sealed-segment.ts';
import { createSealer, type Sealer, type SealerOptions, sealSegment } from './sealer.ts';
import { openIdentity, placesOf, type Segments } from './store.ts';
import { openStreams, type Streams } from './streams.ts';
import { openSyncThread, plainSyncs, type Syncs } from './syncs.ts';
import { createWriter, type Writer } from './writer.ts';

export type FileArchiveOptions = {
  readonly directory: string;
  /** Version of this software, for commits and the start mark. */
  readonly software: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The disk failed and nothing about it is known any more: the process must exit with code 74, answering nobody. */
  readonly onFatal: (error: unknown) => void;
  /** Three or more closed segments could not be sealed. */
  readonly onUnsealed?: (count: number) => void;
  /** A file was damaged and what was damaged of it has been made anew from the entries; its name in the directory. */
  readonly onMended?: (file: string) => void;
  /** The newest open segment ended in so many bytes that are no whole group, as a death leaves them: they are left out. */
  readonly onTorn?: (file: string, bytes: number) => void;
  readonly limits?: Partial<ArchiveLimits>;
  /** Counted into, for metrics. */
  readonly measures?: ArchiveMeasures;
  readonly fileSystem?: FileSystem;
  /** Takes the directory for this process; default: `lockDirectory`. */
  readonly lock?: (directory: string) => Promise<() => Promise<void>>;
  /** Where sealing runs; default: a thread of its own. */
  readonly runSeal?: RunSeal;
};

/** A sealing that found no room is tried again after so many looks at the disk. */
const RETRY_EVERY_LOOKS = 10;
const ALARM_AT = 3;

/**
 * Opens the archive in a directory, alone on one machine (delivery.md §5, §6); makes it where there is none. What a crash
 * left is sealed before anything else, then a `mark` is appended whose offset is the fence.
 *
 * Throws `ArchiveCorruptError` (exit code 5) where the archive is damaged, `AppError` `conflict` where another process
 * has it, the system's error where the disk fails.
 */
export async function openFileArchive(options: FileArchiveOptions): Promise<Archive> {
  const release = await (options.lock ?? lockDirectory)(options.directory);
  try {
    return await open(options, release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** What a start leaves behind: everything that was found is sealed, nothing is open yet. */
type Started = SealerOptions & {
  readonly measures: ArchiveMeasures;
  readonly limits: ArchiveLimits;
  /** The next offset, which the start mark takes: so it is the fence. */
  readonly fence: number;
  readonly lastAt: number;
  /** The newest producers table, until it was asked for: it may be large. */
  table: Buffer | undefined;
};

async function start(options: FileArchiveOptions): Promise<Started> {
  const { clock, software, fileSystem = diskFileSystem, runSeal = sealInWorker } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const places = placesOf(options.directory);
  const archive = await openIdentity(fileSystem, places, clock());
  const streams = await openStreams(fileSystem, places.keys);
  const { producerDays } = limits;
  const onMended = options.onMended ?? (() => {});
  const mender = openMender({ fileSystem, places, archive, streams, producerDays, onMended });
  const owner = { archive, check: mender.check, onTorn: options.onTorn ?? (() => {}) };
  const { sealed, unsealed, lastAt } = await findSegments(fileSystem, places, owner);
  await mender.finish();
  const segments: Segments = { sealed, open: [...unsealed] };
  const sealing = { fileSystem, places, segments, streams, runSeal, archive, software, producerDays, clock };
  const urgency = openUrgency();
  hurry(urgency);
  for (const source of unsealed) await sealSegment(sealing, source, urgency);
  const newest = segments.sealed.at(-1);
  const table = newest && (await readProducersTable(fileSystem, newest));
  const newestAt = newest ? (await checkSealed(fileSystem, newest, archive)).lastAt : 0;
  const measures = options.measures ?? openArchiveMeasures();
  return {
    ...sealing,
    measures,
    limits,
    fence: (newest?.last ?? -1) + 1,
    lastAt: Math.max(lastAt, newestAt),
    table,
  };
}

type Running = {
  readonly started: Started;
  readonly writer: Writer;
  readonly sealer: Sealer;
  readonly syncs: Syncs;
};
type Listener = (entries: readonly Entry[]) => void;

async function open(options: FileArchiveOptions, release: () => Promise<void>): Promise<Archive> {
  const started = await start(options);
  const listeners = new Set<Listener>();
  const syncs = started.fileSystem === diskFileSystem ? openSyncThread() : plainSyncs;
  const running = await run(started, listeners, syncs, options.onFatal).catch(async (error: unknown) => {
    await syncs.close();
    throw error;
  });
  let looks = 0;
  const look = async () => {
    looks += 1;
    await lookAround(running, looks % RETRY_EVERY_LOOKS === 0, options.onUnsealed);
  };
  await look();
  const timer = setInterval(
    () => void look().catch(running.writer.fail),
    started.limits.checkEveryMs,
  ).unref();
  return archiveOf(running, listeners, async () => {
    clearInterval(timer);
    try {
      await stop(running);
    } finally {
      await release();
    }
  });
}

/** Opens the segment that new entries go to and appends the start mark; rejects where the disk does not take it. */
async function run(
  started: Started,
  listeners: ReadonlySet<Listener>,
  syncs: Syncs,
  onFatal: (error: unknown) => void,
): Promise<Running> {
  const { fileSystem, places, segments, archive, fence, lastAt, clock, limits, measures } = started;
  const marked = Promise.withResolvers<void>();
  // Until the mark is durable there is nobody to tell but the caller.
  let tell: (error: unknown) => void = marked.reject;
  const nextSegment = async (first: number): Promise<OpenSegment> => {
    const about = { directory: places.segments, archive, first, fence, createdAt: clock() };
    const segment = await createOpenSegment(fileSystem, about);
    segments.open.push(segment);
    return segment;
  };
  const sealer = createSealer({ ...started, onFatal: (error) => writer.fail(error) });
  const writer = createWriter({
    queue: createGroupQueue(limits, { next: fence, lastAt }),
    groupBytes: limits.groupBytes,
    queueBytes: limits.queueBytes,
    sealBytes: limits.sealBytes,
    fence,
    clock,
    measures,
    syncs,
    segment: await nextSegment(fence),
    nextSegment,
    async onClosed(segment) {
      await segment.file.close();
      if (segment.end > segment.first) sealer.add(segment);
    },
    onDurable(entries) {
      for (const listener of listeners) listener(entries);
    },
    onFatal: (error) => tell(error),
  });
  writer.append([{ k: 'mark', t: clock(), b: { start: started.software } }], (refused) => {
    if (refused) return marked.reject(noRoom());
    tell = onFatal;
    marked.resolve();
  });
  await marked.promise;
  return { started, writer, sealer, syncs };
}

/** Looks at the free space and at the age of the open segment, and after what could not be sealed. */
async function lookAround(
  running: Running,
  isRetry: boolean,
  onUnsealed?: (count: number) => void,
): Promise<void> {
  const { started, writer, sealer } = running;
  const { limits, fileSystem, places, clock } = started;
  const { free, total } = await fileSystem.space(places.root);
  started.measures.freeBytes = free;
  started.measures.unsealed = sealer.waiting();
  writer.setFull(free < Math.max(limits.minFreeBytes, limits.minFreeShare * total));
  const { startedAt } = writer.segment();
  const isOld = startedAt !== undefined && clock() - startedAt >= limits.sealAfterMs;
  if (isOld && writer.refusing() === null) await writer.roll().catch(unlessFull);
  if (isRetry && writer.refusing() === null) sealer.retry();
  if (sealer.waiting() >= ALARM_AT) onUnsealed?.(sealer.waiting());
}

async function stop({ writer, sealer, syncs }: Running): Promise<void> {
  try {
    await writer.close();
    await sealer.settled();
  } catch (error) {
    // Nothing is lost: the open segment is durable, and the next start seals it. A failed disk was told of before.
    if (writer.refusing() !== 'archive-failed') unlessFull(error);
  } finally {
    await syncs.close();
  }
}

function noRoom(cause?: unknown): AppError {
  return new AppError('disk-full', 'the archive cannot write: make room on its disk', { cause });
}

function unlessFull(error: unknown): void {
  const isNoRoom = isFull(error) || (error instanceof AppError && error.code === 'disk-full');
  if (!isNoRoom) throw error;
}

function archiveOf(running: Running, listeners: Set<Listener>, close: () => Promise<void>): Archive {
  const { started, writer, sealer } = running;
  const upTo = (to: number | undefined) => Math.min(to ?? writer.end(), writer.end());
  let closed: Promise<void> | undefined;
  return {
    id: started.archive,
    fence: started.fence,
    // The start's mark takes the next offset: had a damaged last group one entry, its offset is in use again.
    foundEnd: started.fence,
    append: writer.append,
    pressure: writer.pressure,
    refusing: writer.refusing,
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: writer.end,
    read: (from, to) => readEntries(started, from, upTo(to)),
    readStudent: (student, to) => readStudentEntries(started, student, upTo(to)),
    ...(started.fileSystem === diskFileSystem && { sealed: () => pictureOf(started) }),
    producers() {
      const rows = started.table ? rowsOf(started.table, started.streams) : [];
      started.table = undefined;
      return rows;
    },
    async seal() {
      await writer.roll();
      await sealer.settled().catch((error: unknown) => {
        throw isFull(error) ? noRoom(error) : error;
      });
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** Events of students alone: nothing else is folded. */
function pictureOf({ segments, streams }: Started): SealedPicture {
  const named = [...streams.ids].filter(([name]) => name.startsWith('student:'));
  const students = named.map(([name, stream]) => ({ id: name.slice('student:'.length), stream }));
  return { segments: [...segments.sealed], students };
}

function rowsOf(table: Buffer, streams: Streams): ProducerRow[] {
  return [...decodeProducers(table).values()].map((row) => {
    const name = streams.nameOf(row.stream) ?? '';
    const student = name.slice(name.indexOf(':') + 1);
    const { producer, epoch, last, lastAt } = row;
    return { producer, epoch, student, last, hashes: Buffer.concat(hashesOf(row)), lastAt };
  });
}
