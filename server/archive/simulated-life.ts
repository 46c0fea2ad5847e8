import { batch } from './archive.contract.ts';
import type { Archive } from './archive.ts';
import type { Entry } from './entry.ts';
import { openFileArchive } from './file-archive.ts';
import { appendTo, type Ledger } from './ledger.ts';
import type { ArchiveLimits } from './limits.ts';
import { sealHere } from './run-seal.ts';
import type { SimulatedDisk } from './simulated-file-system.ts';

/** An archive on a simulated disk, and the moment at which that disk failed it. For tests. */
export type Life = {
  readonly archive: Archive;
  readonly failed: Promise<unknown>;
  readonly hasFailed: () => boolean;
};

export async function openOn(
  disk: SimulatedDisk,
  limits: Partial<ArchiveLimits> = {},
  onUnsealed?: (count: number) => void,
  onMended?: (file: string) => void,
): Promise<Life> {
  const failure = Promise.withResolvers<unknown>();
  let isFailed = false;
  const archive = await openFileArchive({
    directory: '/archive',
    software: 'test',
    clock: () => 1_800_000_000_000,
    onFatal(error) {
      isFailed = true;
      failure.resolve(error);
    },
    onUnsealed,
    onMended,
    fileSystem: disk.fileSystem,
    lock: async () => async () => {},
    runSeal: sealHere(disk.fileSystem),
    limits: { minFreeBytes: 0, checkEveryMs: 2, ...limits },
  });
  return { archive, failed: failure.promise, hasFailed: () => isFailed };
}

/** One round of a class at work: three students, two entries each in one append, under producers of this name. */
export function appendRound(life: Life, ledger: Ledger, producer: string, round: number): Promise<unknown> {
  const appends = [0, 1, 2].map((i) => {
    const from = round * 2 + 1;
    const drafts = [from, from + 1].map((seq) => ({ ...batch(`s${i}`, seq), p: `${producer}-${i}` }));
    return appendTo(life.archive, ledger, drafts);
  });
  return Promise.race([Promise.all(appends), life.failed]);
}

/** A server's whole life: start, five rounds of appends with a sealing between, stop. Ends where the disk fails. */
export async function liveOn(
  disk: SimulatedDisk,
  ledger: Ledger,
  producer: string,
): Promise<'failed' | 'ended'> {
  let life: Life;
  try {
    life = await openOn(disk);
  } catch {
    return 'failed';
  }
  for (let round = 0; round < 5 && !life.hasFailed(); round += 1) {
    await appendRound(life, ledger, producer, round);
    if (round === 2) await life.archive.seal().catch(() => {});
  }
  await life.archive.close();
  return life.hasFailed() ? 'failed' : 'ended';
}

/** All that a start on this disk finds, the start's own mark included. */
export async function whatIsLeft(disk: SimulatedDisk): Promise<Entry[]> {
  const { archive } = await openOn(disk);
  const entries: Entry[] = [];
  for await (const slice of archive.read(0)) entries.push(...slice);
  await archive.close();
  return entries;
}

/** The disk as it is now, so that the process that still runs cannot change it. */
export function copyOf(disk: SimulatedDisk): SimulatedDisk {
  const copy = disk.crash(() => 0.999);
  for (const [path, bytes] of disk.files()) copy.replace(path, Buffer.from(bytes));
  return copy;
}

/** The last file whose path ends so, with its content. */
export function fileOf(disk: SimulatedDisk, ending: string): [string, Buffer] {
  const found = [...disk.files()].filter(([path]) => path.endsWith(ending)).at(-1);
  if (!found) throw new Error(`no file ends with ${ending}`);
  return found;
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32, public domain). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
