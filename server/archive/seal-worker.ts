import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { diskFileSystem } from './file-system.ts';
import { bytesInFile } from './open-bytes.ts';
import { openRests } from './rests.ts';
import { type SealTask, sealFrom } from './run-seal.ts';

// Thousands of small buffers are made: in large pieces the system gets them back with the end of this thread.
Buffer.poolSize = 1024 * 1024;
// On Linux this is the thread's own: where cores are few, an answer does not wait for what can.
setPriority(10);
const task = workerData as SealTask;
const open = bytesInFile(task.source.path, task.source.bytes, openRests(task.urgency));
const sealed = await sealFrom(diskFileSystem, task, open);
open.close();
parentPort?.postMessage(sealed);
