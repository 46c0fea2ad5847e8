import { getSystemErrorName } from 'node:util';
import { startSmallThread } from '#server/small-thread.ts';
import type { OpenFile } from './file-system.ts';

/** Makes what was written to a file durable, one file at a time. */
export type Syncs = {
  /** Resolves once the file's `fdatasync` has returned; rejects with the system's error. */
  sync(file: OpenFile): Promise<void>;
  /** Looks whether the sync has ended: then it resolves with the microtasks of this call, not when the loop comes to it. */
  hear(): void;
  /** So long after one began the next one may begin, unless much waits for it. */
  readonly spaceMs: number;
  close(): Promise<void>;
};

/**
 * Where the disk answers within a tenth of a millisecond, each event would have a sync of its own, and writing, waking the
 * thread and being woken would be a fifth of what an event costs in all.
 */
const SPACE_MS = 2;

/** Places in the memory that the two threads share. `error`: 0, or the system's number of it. */
export const SHARED = { asked: 0, answered: 1, descriptor: 2, error: 3 } as const;

/** It makes nothing but calls. */
const resourceLimits = { maxYoungGenerationSizeMb: 1 };

/** For a file system that no other thread can see. */
export const plainSyncs: Syncs = {
  sync: (file) => file.datasync(),
  hear() {},
  spaceMs: 0,
  async close() {},
};

/**
 * A thread that waits for the disk, and whose answer can be looked for at any time. What the loop is told by itself waits
 * for the end of its turn: where thousands of sockets are read in one, they all would be in memory, parsed, until then.
 */
export function openSyncThread(): Syncs {
  const shared = new Int32Array(new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT));
  const file = new URL('./sync-worker.ts', import.meta.url);
  const worker = startSmallThread(file, { workerData: shared, resourceLimits });
  worker.unref();
  let asked = 0;
  let waiting: PromiseWithResolvers<void> | null = null;
  let failure: Error | null = null;

  function hear(): void {
    if (waiting === null || Atomics.load(shared, SHARED.answered) !== asked) return;
    const { resolve, reject } = waiting;
    waiting = null;
    worker.unref();
    const error = shared[SHARED.error] ?? 0;
    if (error === 0) resolve();
    else reject(syncError(error));
  }

  function fail(cause: Error): void {
    failure = cause;
    waiting?.reject(cause);
    waiting = null;
  }

  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the thread that syncs ended with code ${code}`)));
  return {
    sync({ descriptor }) {
      if (failure) return Promise.reject(failure);
      if (descriptor === undefined)
        return Promise.reject(new Error('a file without a descriptor cannot be synced'));
      const asking = Promise.withResolvers<void>();
      waiting = asking;
      worker.ref();
      // For a loop that has nothing else to do.
      const answered = Atomics.waitAsync(shared, SHARED.answered, asked);
      if (answered.async) void answered.value.then(hear);
      asked = (asked + 1) | 0;
      shared[SHARED.descriptor] = descriptor;
      Atomics.store(shared, SHARED.asked, asked);
      Atomics.notify(shared, SHARED.asked);
      return asking.promise;
    },
    hear,
    spaceMs: SPACE_MS,
    async close() {
      await worker.terminate();
    },
  };
}

function syncError(number: number): Error {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`${code}: fdatasync`), { code, errno: number, syscall: 'fdatasync' });
}
