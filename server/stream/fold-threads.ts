import { Worker } from 'node:worker_threads';
import { type FoldedPart, type FoldJob, SHARED } from './fold-job.ts';

/** A thread that folds nothing for so long hangs in a step. */
const SILENT_MS = 10_000;
const LOOK_EVERY_MS = 100;
/** What an event makes and forgets, three halves of 16 MB as V8 counts them; larger, and it leaves the caches of a core. */
const YOUNG_MB = 48;

/**
 * Folds students in threads, each taking the next student whom nobody has. `take` gets the parts one after the other;
 * when this resolves it has had all. Rejects, with every thread ended, where a thread fails or hangs, `take` throws, or
 * `isVoid` says that nobody wants it any more.
 */
export async function foldInThreads(options: {
  readonly job: Omit<FoldJob, 'shared'>;
  readonly threads: number;
  readonly take: (part: FoldedPart) => Promise<void>;
  readonly isVoid: () => boolean;
  readonly silentMs?: number;
}): Promise<void> {
  const { take, isVoid, silentMs = SILENT_MS } = options;
  const shared = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  const workers = Array.from({ length: options.threads }, () => startThread(options.job, shared.buffer));
  const ended = Promise.withResolvers<void>();
  let inTurn = Promise.resolve();
  let working = workers.length;

  async function takeOne(part: FoldedPart): Promise<void> {
    await take(part);
    Atomics.sub(shared, SHARED.waiting, 1);
    Atomics.notify(shared, SHARED.waiting);
    if (part.isLast && --working === 0) ended.resolve();
  }

  for (const worker of workers) {
    worker.on('message', (part: FoldedPart) => {
      inTurn = inTurn.then(() => takeOne(part)).catch(ended.reject);
    });
    worker.once('error', ended.reject);
    worker.once('exit', (code) => {
      if (code !== 0) ended.reject(new Error(`a folding thread ended with code ${code}`));
    });
  }
  const timer = setInterval(watch(shared, silentMs, isVoid, ended.reject), LOOK_EVERY_MS);
  try {
    await ended.promise;
  } finally {
    clearInterval(timer);
    await Promise.all(workers.map((worker) => worker.terminate()));
    await inTurn;
  }
}

function startThread(job: Omit<FoldJob, 'shared'>, shared: SharedArrayBuffer): Worker {
  const workerData: FoldJob = { ...job, shared };
  return new Worker(new URL('./fold-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}

function watch(
  shared: Int32Array,
  silentMs: number,
  isVoid: () => boolean,
  reject: (cause: Error) => void,
): () => void {
  let entries = -1;
  let since = performance.now();
  return () => {
    if (isVoid()) return reject(new Error('nobody waits for the fold any more'));
    const isStoresTurn = Atomics.load(shared, SHARED.waiting) > 0;
    const now = Atomics.load(shared, SHARED.entries);
    if (now !== entries || isStoresTurn) {
      entries = now;
      since = performance.now();
    } else if (performance.now() - since > silentMs) reject(new Error('a folding thread hangs in a step'));
  };
}
