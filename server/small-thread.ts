import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** How the main thread's nursery is set (`server-process.mjs`): each thread would take the same, whatever its limits say. */
const NURSERY_FLAGS = ['--min-semi-space-size', '--max-semi-space-size'];

/**
 * Starts a thread whose `resourceLimits` hold. V8 lets its flags go before them, and reads these two when an isolate is made: the
 * main thread has its nursery and keeps it.
 */
export function startSmallThread(file: URL, options: WorkerOptions): Worker {
  for (const flag of NURSERY_FLAGS) setFlagsFromString(`${flag}=0`);
  return new Worker(file, options);
}
