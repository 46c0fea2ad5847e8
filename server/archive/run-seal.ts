import { Worker } from 'node:worker_threads';
import type { Sealed, SealJob } from './seal-bytes.ts';

/** Seals in a thread of its own, since compressing 64 MiB would hold up every socket. The job's bytes move there. */
export function sealInWorker(job: SealJob): Promise<Sealed> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seal-worker.ts', import.meta.url), {
      workerData: job,
      transferList: [job.open.buffer],
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the sealing thread ended with code ${code}`)));
  });
}
