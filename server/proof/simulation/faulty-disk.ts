import type { FileSystem, OpenFile } from '#server/archive/file-system.ts';
import { createSimulatedDisk, systemError } from '#server/archive/simulated-file-system.ts';
import type { Random } from './random.ts';
import type { Life, VirtualTime } from './virtual-time.ts';

/** A disk that outlives the processes that use it, and its faults. */
export type FaultyDisk = {
  /** What one process sees of it: each write, sync and rename takes its time, and a process may end within. */
  portFor(life: Life): FileSystem;
  fullUntil(ms: number): void;
  /** The next write or sync fails, and so does everything after it, until the process has ended. */
  failNext(): void;
  shortUntil(ms: number): void;
  slowUntil(ms: number, byMs: number): void;
  /** The power goes: what was synced stays, and a random part of the rest. */
  cutPower(): void;
  heal(): void;
};

export function openFaultyDisk(time: VirtualTime, random: Random, trace: (line: string) => void): FaultyDisk {
  let disk = createSimulatedDisk();
  const until = { full: 0, short: 0, slow: 0 };
  let slowByMs = 0;
  let isFailing = false;

  function arm(): void {
    disk.setFault((operation, path) => {
      trace(`${operation} ${path}`);
      if (isFailing && (operation === 'write' || operation === 'sync')) return systemError('EIO');
      if (operation !== 'write') return undefined;
      if (time.now() < until.full) return random.chance(0.7) ? systemError('ENOSPC') : random.between(1, 300);
      return time.now() < until.short && random.chance(0.6) ? random.between(1, 300) : undefined;
    });
  }
  const delay = () => (time.now() < until.slow ? random.below(slowByMs) : random.below(3));

  async function take<T>(life: Life, act: () => Promise<T>): Promise<T> {
    await time.pass(life, delay());
    return act();
  }

  function portOf(life: Life): FileSystem {
    // A process keeps the files that it opened: after a power cut it is dead.
    const { fileSystem } = disk;
    const fileOf = (file: OpenFile): OpenFile => ({
      ...file,
      write: (bytes, position) => take(life, () => file.write(bytes, position)),
      async datasync() {
        await take(life, () => file.datasync());
        await time.pass(life, delay());
      },
    });
    return {
      ...fileSystem,
      open: async (path, mode) => fileOf(await fileSystem.open(path, mode)),
      rename: (from, to) => take(life, () => fileSystem.rename(from, to)),
      unlink: (path) => take(life, () => fileSystem.unlink(path)),
      syncDirectory: (path) => take(life, () => fileSystem.syncDirectory(path)),
    };
  }

  arm();
  return {
    portFor: portOf,
    fullUntil(ms) {
      until.full = ms;
    },
    failNext() {
      isFailing = true;
    },
    shortUntil(ms) {
      until.short = ms;
    },
    slowUntil(ms, byMs) {
      until.slow = ms;
      slowByMs = byMs;
    },
    cutPower() {
      disk = disk.crash(random.next);
      arm();
    },
    heal() {
      isFailing = false;
      Object.assign(until, { full: 0, short: 0, slow: 0 });
    },
  };
}
