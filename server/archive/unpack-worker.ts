import { parentPort, workerData } from 'node:worker_threads';
import { type Packed, unpack } from './unpack.ts';

const unpacked = unpack(workerData as Packed);
if ('damaged' in unpacked) parentPort?.postMessage(unpacked);
else parentPort?.postMessage(unpacked, [unpacked.raw.buffer, unpacked.at.buffer]);
