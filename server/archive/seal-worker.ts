import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { bytesInFile } from './open-bytes.ts';
import type { SealTask } from './run-seal.ts';
import { sealBytes } from './seal-bytes.ts';

// Thousands of small buffers are made: in large pieces the system gets them back with the end of this thread.
Buffer.poolSize = 1024 * 1024;
// On Linux this is the thread's own: where cores are few, an answer does not wait for what can.
setPriority(10);
const { job, path, bytes } = workerData as SealTask;
const open = bytesInFile(path, bytes);
const sealed = sealBytes(job, open);
open.close();
parentPort?.postMessage(sealed, [sealed.bytes.buffer]);
