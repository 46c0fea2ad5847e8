import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '#server/archive/archive.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { memoryLog, registryOf } from '#server/stream/testing.ts';
import { EVENTS_AN_ENTRY, reducers, STUDENTS, savesOf } from './recovery-saves.ts';

const ROUNDS = 3;

/**
 * How long a start without states takes: all that the archive holds folded again into an empty store (G7). A million
 * saves of 500 students who type at once, four an entry, in plain sealed segments; five reducers; flushes included.
 */
export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const events = quick ? 200_000 : 1_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'bench-recovery-'));
  try {
    await fill(folder, events);
    const archive = await openArchive(folder);
    const seconds: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const took = await recover(archive, join(folder, `states-${round}`));
      if (round > 0) seconds.push((took * 1_000_000) / events);
    }
    await archive.close();
    const median = seconds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
    console.log(`figure recovery.seconds-per-million ${median.toFixed(2)} s`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function openArchive(folder: string): Promise<Archive> {
  const directory = join(folder, 'archive');
  const onFatal = (cause: unknown) => {
    throw cause;
  };
  return openFileArchive({
    directory,
    software: 'bench',
    clock: Date.now,
    onFatal,
    limits: { minFreeBytes: 0 },
  });
}

async function fill(folder: string, events: number): Promise<void> {
  const archive = await openArchive(folder);
  const perStudent = new Uint32Array(STUDENTS);
  for (let done = 0; done < events; done += 1_024 * EVENTS_AN_ENTRY) {
    const drafts = Array.from({ length: Math.min(1_024, (events - done) / EVENTS_AN_ENTRY) }, (_, i) => {
      const who = (done / EVENTS_AN_ENTRY + i) % STUDENTS;
      const first = perStudent[who] ?? 0;
      perStudent[who] = first + EVENTS_AN_ENTRY;
      return savesOf(who, first + 1);
    });
    await new Promise<void>((stored, failed) =>
      archive.append(drafts, (refused) => (refused ? failed(new Error(refused)) : stored())),
    );
  }
  await archive.seal();
  await archive.close();
}

async function recover(archive: Archive, folder: string): Promise<number> {
  const log = memoryLog();
  const store = await openFileStore({ folder, log });
  const from = performance.now();
  const used = [process.cpuUsage(), process.threadCpuUsage()] as const;
  const registry = { ...registryOf(reducers), file: new URL('./recovery-saves.ts', import.meta.url).href };
  const owner = openOwner({ archive, store, registry, log });
  await owner.caughtUp();
  await owner.flush();
  const seconds = (performance.now() - from) / 1_000;
  const all = secondsOf(process.cpuUsage(used[0]));
  const main = secondsOf(process.threadCpuUsage(used[1]));
  console.log(
    `folded in ${seconds.toFixed(2)} s; processor time ${all} s, ${main} s of it the main thread's`,
  );
  const [wrong] = log.facts;
  if (wrong) throw new Error(wrong.fact);
  await owner.close();
  await store.close();
  return seconds;
}

function secondsOf({ user, system }: NodeJS.CpuUsage): string {
  return ((user + system) / 1e6).toFixed(2);
}
