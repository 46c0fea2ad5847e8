import { startSmallThread } from '#server/small-thread.ts';
import { type FileSystem, readWhole } from './file-system.ts';
import { bytesInMemory } from './open-bytes.ts';
import { type Sealed, type SealJob, sealBytes } from './seal-bytes.ts';
import type { ReadableOpen } from './store.ts';

export type RunSeal = (job: SealJob, source: ReadableOpen) => Promise<Sealed>;

/** It makes strings that die at once: a nursery of the process's size would only take memory. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** What the sealing thread is given. */
export type SealTask = { readonly job: SealJob; readonly path: string; readonly bytes: number };

/** Seals in a thread of its own, which reads the file itself: 64 MiB to read and to compress would hold up every socket. */
export function sealInWorker(job: SealJob, { path, bytes }: ReadableOpen): Promise<Sealed> {
  return new Promise((resolve, reject) => {
    const workerData: SealTask = { job, path, bytes };
    // The table goes over, many megabytes where thousands write.
    const transferList = [job.table.buffer];
    const file = new URL('./seal-worker.ts', import.meta.url);
    const worker = startSmallThread(file, { workerData, resourceLimits, transferList });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the sealing thread ended with code ${code}`)));
  });
}

/** Seals in this thread, for a file system that no other thread can see. */
export function sealHere(fileSystem: FileSystem): RunSeal {
  return async (job, { path, bytes }) =>
    sealBytes(job, bytesInMemory(await readWhole(fileSystem, path, bytes)));
}
