import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, constants, getPriority, setPriority } from 'node:os';

/** As the threads are named that V8 marks, sweeps, copies and compiles in beside the main thread. */
const HELPER = 'V8Worker';
/**
 * Below the main thread: about a tenth of its share where there is one core for all, less than half where there are more. With a
 * tenth of one that others want too, marking takes seconds, and the heap grows meanwhile.
 */
const LOWER = availableParallelism() > 1 ? 4 : 10;
const THREADS = '/proc/self/task';

/**
 * Lets V8's helper threads step back where cores are few: four of them that mark the heap together take four fifths of a
 * shared core, and every answer waits for that long. On Linux a priority belongs to a thread; elsewhere nothing is done.
 * Gives how many stepped back.
 */
export function lowerHelperThreads(): number {
  try {
    const helpers = readdirSync(THREADS).filter(isHelper);
    for (const id of helpers) setPriority(Number(id), lower(Number(id)));
    return helpers.length;
  } catch {
    return 0; // Slower at worst: no reason not to serve.
  }
}

function lower(id: number): number {
  return Math.min(constants.priority.PRIORITY_LOW, getPriority(id) + LOWER);
}

function isHelper(id: string): boolean {
  return readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim() === HELPER;
}
