import { Worker } from 'node:worker_threads';
import { type Damage, type Packed, type Unpacked, unpack } from './unpack.ts';

/** Below, a thread would cost more than it takes off this one. */
const THREAD_FROM_BYTES = 1024 * 1024;

/** Decompresses a large segment in a thread of its own, while the one before is being folded. Its blocks move there. */
export function runUnpack(packed: Packed): Promise<Unpacked | Damage> {
  if (packed.blocks.length < THREAD_FROM_BYTES) return Promise.resolve(unpack(packed));
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./unpack-worker.ts', import.meta.url), {
      workerData: packed,
      transferList: [packed.blocks.buffer],
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the unpacking thread ended with code ${code}`)));
  });
}
