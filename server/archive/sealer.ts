import { join } from 'node:path';
import { deleteTemporaries, writeCommit } from './commits.ts';
import { type FileSystem, isFull } from './file-system.ts';
import { hurry, openUrgency, relax, type Urgency } from './rests.ts';
import type { RunSeal } from './run-seal.ts';
import type { Sealed } from './seal-parts.ts';
import { hex12 } from './segment-header.ts';
import type { Places, ReadableOpen, Segments } from './store.ts';
import type { Streams } from './streams.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export type SealerOptions = {
  readonly fileSystem: FileSystem;
  readonly places: Places;
  readonly segments: Segments;
  readonly streams: Streams;
  readonly runSeal: RunSeal;
  readonly archive: string;
  readonly software: string;
  readonly producerDays: number;
  readonly clock: () => number;
};

/**
 * Gives a closed open segment its sealed form (delivery.md §5). Each step is durable before the next; a crash between
 * any two leaves the open file, or both, and what is committed wins.
 */
export async function sealSegment(
  options: SealerOptions,
  source: ReadableOpen,
  urgency: Urgency,
): Promise<void> {
  const { fileSystem, places, segments } = options;
  await deleteTemporaries(fileSystem, places.segments);
  await deleteTemporaries(fileSystem, places.commits);
  const at = options.clock();
  const keepProducersFrom = at - options.producerDays * DAY_MS;
  const job = { streams: options.streams.ids, createdAt: at, keepProducersFrom };
  const into = join(places.segments, 'sealing.seg.tmp');
  const { path: from, bytes } = source;
  const before = segments.sealed.at(-1);
  const sealed = await options.runSeal({ job, source: { path: from, bytes }, before, into, urgency });
  await options.streams.add(sealed.newStreams);
  const file = `${hex12(sealed.first)}-${hex12(sealed.last)}-${hex12(sealed.fence)}.seg`;
  const path = join(places.segments, file);
  await fileSystem.rename(into, path);
  await fileSystem.syncDirectory(places.segments);
  await commit(options, sealed, file, at);
  segments.sealed.push({ path, file, first: sealed.first, last: sealed.last, bytes: sealed.bytes });
  segments.open.splice(segments.open.indexOf(source), segments.open.includes(source) ? 1 : 0);
  await fileSystem.unlink(source.path);
}

function commit(options: SealerOptions, sealed: Sealed, file: string, at: number): Promise<void> {
  return writeCommit(options.fileSystem, options.places.commits, {
    format: 1,
    archive: options.archive,
    partition: 0,
    number: options.segments.sealed.length + 1,
    parent: null,
    segment: { file, sha256: sealed.sha256, bytes: sealed.bytes },
    from: sealed.first,
    to: sealed.last,
    entries: sealed.entries,
    events: sealed.events,
    streams: sealed.blocks,
    heads: null,
    tombstones: [],
    fence: sealed.fence,
    at,
    software: options.software,
  });
}

export type Sealer = {
  /** A closed segment, to be sealed after those before it. */
  add(source: ReadableOpen): void;
  /** Tries again what a full disk prevented. */
  retry(): void;
  /** Resolves once all closed segments are sealed; rejects when the disk is full. */
  settled(): Promise<void>;
  /** Closed segments that are not sealed yet. */
  waiting(): number;
};

/**
 * Seals one segment after the other in the background, with rests unless somebody waits for it or segments are filled faster
 * than they are sealed. A full disk only delays it; any other error is fatal.
 */
export function createSealer(
  options: SealerOptions & { readonly onFatal: (error: unknown) => void },
): Sealer {
  const queue: ReadableOpen[] = [];
  const urgency = openUrgency();
  let running: Promise<void> | undefined;
  let failure: Error | undefined;

  async function drain(): Promise<void> {
    for (let source = queue[0]; source; source = queue[0]) {
      if (failure) throw failure;
      await sealSegment(options, source, urgency).catch(async (error: unknown) => {
        // Half a segment must not take the room that appends could have.
        if (isFull(error)) await deleteTemporaries(options.fileSystem, options.places.segments);
        throw error;
      });
      queue.shift();
      if (queue.length === 0) relax(urgency);
    }
  }
  function start(): Promise<void> {
    running ??= drain().finally(() => {
      running = undefined;
    });
    return running;
  }
  function startQuietly(): void {
    start().catch((error: unknown) => {
      if (isFull(error)) return;
      failure ??= new Error('sealing failed', { cause: error });
      options.onFatal(error);
    });
  }

  return {
    add(source) {
      queue.push(source);
      if (queue.length > 1) hurry(urgency);
      startQuietly();
    },
    retry: () => queue.length > 0 && startQuietly(),
    settled() {
      if (queue.length === 0) return Promise.resolve();
      hurry(urgency);
      return start();
    },
    waiting: () => queue.length,
  };
}
