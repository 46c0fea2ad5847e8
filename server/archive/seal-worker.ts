import { parentPort, workerData } from 'node:worker_threads';
import { type SealJob, sealBytes } from './seal-bytes.ts';

const sealed = sealBytes(workerData as SealJob);
parentPort?.postMessage(sealed, [sealed.bytes.buffer]);
