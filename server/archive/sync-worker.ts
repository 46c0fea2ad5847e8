import { fdatasyncSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { SHARED } from './syncs.ts';

const shared = workerData as Int32Array;
/** `EIO`, for an error that does not say what it is. */
const UNKNOWN_ERROR = -5;

for (let seen = 0; ; ) {
  Atomics.wait(shared, SHARED.asked, seen);
  seen = Atomics.load(shared, SHARED.asked);
  shared[SHARED.error] = errorOf(shared[SHARED.descriptor] ?? -1);
  Atomics.store(shared, SHARED.answered, seen);
  Atomics.notify(shared, SHARED.answered);
}

function errorOf(descriptor: number): number {
  try {
    fdatasyncSync(descriptor);
    return 0;
  } catch (error) {
    return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
      ? error.errno
      : UNKNOWN_ERROR;
  }
}
