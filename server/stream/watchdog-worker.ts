import { renameSync, writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { readExits, SHARED, type WatchdogData } from './watchdog.ts';

const { shared: buffer, names, file, beatMs, beats } = workerData as WatchdogData;
const shared = new Float64Array(buffer);
let last = -1;
let silent = 0;

// Counts its own looks, not the time: a process that was stopped, or a machine that slept, has both standing still.
setInterval(() => {
  const beat = shared[SHARED.beat] ?? 0;
  silent = beat === last ? silent + 1 : 0;
  last = beat;
  const name = names[shared[SHARED.reducer] ?? -1];
  if (silent < beats || name === undefined) return;
  note(`${name} 0:${shared[SHARED.offset]}:${shared[SHARED.index]}`);
  process.kill(process.pid, 'SIGKILL');
}, beatMs);

function note(step: string): void {
  const exits = readExits(file);
  const text = JSON.stringify({ ...exits, [step]: (exits[step] ?? 0) + 1 });
  writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.tmp`, file);
}
