import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { type SealJob, sealBytes } from './seal-bytes.ts';

// On Linux this is the thread's own: where cores are few, an answer does not wait for what can.
setPriority(10);
const sealed = sealBytes(workerData as SealJob);
parentPort?.postMessage(sealed, [sealed.bytes.buffer]);
