import { startSmallThread } from '#server/small-thread.ts';
import { type FileSystem, readWhole, writeParts } from './file-system.ts';
import { bytesInMemory, type OpenBytes } from './open-bytes.ts';
import type { Urgency } from './rests.ts';
import { type Sealed, type SealJob, sealParts } from './seal-parts.ts';
import { readProducersTable, type SealedSegment } from './sealed-segment.ts';
import type { ReadableOpen } from './store.ts';

/** Plain values, since it goes to a thread of its own. */
export type SealTask = {
  readonly job: SealJob;
  readonly source: Pick<ReadableOpen, 'path' | 'bytes'>;
  /** The segment before it, whose producers table it goes on from. */
  readonly before: SealedSegment | undefined;
  /** Where the sealed form goes; the file MUST NOT exist yet. */
  readonly into: string;
  /** Whether the thread may rest meanwhile. */
  readonly urgency: Urgency;
};

/** Resolves once the sealed form is durable under its temporary name; rejects with the system's error, its `code` included. */
export type RunSeal = (task: SealTask) => Promise<Sealed>;

/** It makes strings that die at once: a nursery of the process's size would only take memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/**
 * Seals in a thread of its own, which reads and writes the files itself: 64 MiB to read and to compress would hold up every
 * socket, and thousands of producers have a table of many megabytes.
 */
export function sealInWorker(task: SealTask): Promise<Sealed> {
  return new Promise((resolve, reject) => {
    const file = new URL('./seal-worker.ts', import.meta.url);
    const worker = startSmallThread(file, { workerData: task, resourceLimits });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the sealing thread ended with code ${code}`)));
  });
}

/** Seals in this thread, for a file system that no other thread can see. */
export function sealHere(fileSystem: FileSystem): RunSeal {
  return async (task) =>
    sealFrom(
      fileSystem,
      task,
      bytesInMemory(await readWhole(fileSystem, task.source.path, task.source.bytes)),
    );
}

export async function sealFrom(fileSystem: FileSystem, task: SealTask, open: OpenBytes): Promise<Sealed> {
  const before = task.before ? await readProducersTable(fileSystem, task.before) : Buffer.alloc(0);
  return writeParts(fileSystem, task.into, sealParts(task.job, open, before));
}
