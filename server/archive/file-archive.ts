import { AppError } from '#server/errors.ts';
import { lockDirectory } from '#server/lock.ts';
import type { Archive, ProducerRow } from './archive.ts';
import type { Entry } from './entry.ts';
import { diskFileSystem, type FileSystem, isFull } from './file-system.ts';
import { createGroupQueue } from './group-queue.ts';
import { type ArchiveLimits, DEFAULT_LIMITS } from './limits.ts';
import { createOpenSegment, type OpenSegment } from './open-segment.ts';
import { decodeProducers, hashesOf } from './producers-table.ts';
import { readEntries, readStudentEntries } from './read-archive.ts';
import { findSegments } from './recover.ts';
import { sealInWorker } from './run-seal.ts';
import type { Sealed, SealJob } from './seal-bytes.ts';
import { readProducersTable } from './sealed-segment.ts';
import { createSealer, sealSegment } from './sealer.ts';
import { openIdentity, placesOf, type Segments } from './store.ts';
import { openStreams, type Streams } from './streams.ts';
import { createWriter } from './writer.ts';

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
  readonly limits?: Partial<ArchiveLimits>;
  readonly fileSystem?: FileSystem;
  /** Takes the directory for this process; default: `lockDirectory`. */
  readonly lock?: (directory: string) => Promise<() => Promise<void>>;
  /** Where sealing runs; default: a thread of its own. */
  readonly runSeal?: (job: SealJob) => Promise<Sealed>;
};

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

async function open(options: FileArchiveOptions, release: () => Promise<void>): Promise<Archive> {
  const { clock, software, fileSystem = diskFileSystem, runSeal = sealInWorker } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const places = placesOf(options.directory);
  const id = await openIdentity(fileSystem, places, clock());
  const streams = await openStreams(fileSystem, places.keys);
  const found = await findSegments(fileSystem, places, id);
  const segments: Segments = { sealed: found.sealed, open: [...found.unsealed] };
  const { producerDays } = limits;
  const sealing = {
    fileSystem,
    places,
    segments,
    streams,
    runSeal,
    archive: id,
    software,
    producerDays,
    clock,
  };
  for (const source of found.unsealed) await sealSegment(sealing, source);

  const newest = segments.sealed.at(-1);
  let table = newest && (await readProducersTable(fileSystem, newest));
  const fence = (newest?.last ?? -1) + 1;
  // Until it has started there is nobody to tell but the caller.
  const started = Promise.withResolvers<void>();
  let isStarted = false;
  const listeners = new Set<(entries: readonly Entry[]) => void>();
  const nextSegment = async (first: number): Promise<OpenSegment> => {
    const about = { directory: places.segments, archive: id, first, fence, createdAt: clock() };
    const segment = await createOpenSegment(fileSystem, about);
    segments.open.push(segment);
    return segment;
  };
  const sealer = createSealer({ ...sealing, onFatal: (error) => writer.fail(error) });
  const { queueBytes, sealBytes } = limits;
  const queue = createGroupQueue(limits, { next: fence, lastAt: found.lastAt });
  const writer = createWriter({
    queue,
    queueBytes,
    sealBytes,
    fence,
    clock,
    segment: await nextSegment(fence),
    nextSegment,
    async onClosed(segment) {
      await segment.file.close();
      if (segment.end > segment.first) sealer.add(segment);
    },
    onDurable(entries) {
      for (const listener of listeners) listener(entries);
    },
    onFatal: (error) => (isStarted ? options.onFatal(error) : started.reject(error)),
  });
  appendMark();
  await started.promise;
  const timer = setInterval(() => void look().catch(writer.fail), limits.checkEveryMs).unref();
  await look();

  function appendMark(): void {
    const mark = { k: 'mark', t: clock(), b: { start: software } } as const;
    writer.append([mark], (refused) => {
      if (refused) started.reject(new AppError(refused, 'the archive cannot write: make room on its disk'));
      else {
        isStarted = true;
        started.resolve();
      }
    });
  }

  async function look(): Promise<void> {
    const { free, total } = await fileSystem.space(places.root);
    writer.setFull(free < Math.max(limits.minFreeBytes, limits.minFreeShare * total));
    const { startedAt } = writer.segment();
    if (startedAt !== undefined && clock() - startedAt >= limits.sealAfterMs) await writer.roll();
    sealer.retry();
    if (sealer.waiting() >= ALARM_AT) options.onUnsealed?.(sealer.waiting());
  }

  return {
    id,
    fence,
    append: writer.append,
    pressure: writer.pressure,
    refusing: writer.refusing,
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: writer.end,
    read: (from, to) =>
      readEntries({ fileSystem, segments, streams }, from, Math.min(to ?? writer.end(), writer.end())),
    readStudent: (student, to) =>
      readStudentEntries(
        { fileSystem, segments, streams },
        student,
        Math.min(to ?? writer.end(), writer.end()),
      ),
    producers() {
      const rows = table ? rowsOf(table, streams) : [];
      table = undefined;
      return rows;
    },
    async seal() {
      await writer.roll();
      await sealer.settled();
    },
    async close() {
      clearInterval(timer);
      try {
        await writer.close();
        await sealer.settled();
      } catch (error) {
        // Nothing is lost: the open segment is durable, and the next start seals it. A failed disk was told of before.
        if (!isFull(error) && writer.refusing() !== 'archive-failed') throw error;
      } finally {
        await release();
      }
    },
  };
}

function rowsOf(table: Buffer, streams: Streams): ProducerRow[] {
  return [...decodeProducers(table).values()].map((row) => {
    const name = streams.nameOf(row.stream) ?? '';
    const { producer, epoch, last, lastAt } = row;
    return {
      producer,
      epoch,
      student: name.slice(name.indexOf(':') + 1),
      last,
      hashes: hashesOf(row),
      lastAt,
    };
  });
}
