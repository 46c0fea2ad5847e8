import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const MOST_COPIES = 10;

/** A file system of its own in an image file: what of it is in the image would survive a power cut. */
export type LoopDisk = {
  readonly image: string;
  readonly directory: string;
  unmount(): Promise<void>;
};

/** Only root may mount, and not every machine has loop devices. */
export function canMountLoops(): boolean {
  return process.getuid?.() === 0 && existsSync('/dev/loop-control') && existsSync('/usr/sbin/mkfs.ext4');
}

/** Makes an ext4 of so many MiB and mounts it; `name` is free in `folder`. */
export async function makeLoopDisk(folder: string, name: string, mib: number): Promise<LoopDisk> {
  const image = join(folder, `${name}.img`);
  await writeFile(image, '');
  await truncate(image, mib * MIB);
  // Lazy initialisation would go on writing to the image while it is copied.
  const options = ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
  await run('/usr/sbin/mkfs.ext4', [...options, image]);
  return mount(image, join(folder, name));
}

/**
 * What a power cut at this moment leaves: the image as it is, and nothing of what the system holds in memory for it. Copied
 * until two readings agree, so that no write fell in between.
 */
export async function cutPower(disk: LoopDisk, folder: string, name: string): Promise<LoopDisk> {
  const copy = join(folder, `${name}.img`);
  for (let copies = 1; ; copies += 1) {
    await run('cp', ['--sparse=always', disk.image, copy]);
    const isSame = await run('cmp', ['-s', disk.image, copy]).then(
      () => true,
      () => false,
    );
    if (isSame) break;
    if (copies === MOST_COPIES) throw new Error('the image is written to all the time');
  }
  await disk.unmount();
  await rm(disk.image);
  return mount(copy, join(folder, name));
}

async function mount(image: string, directory: string): Promise<LoopDisk> {
  await mkdir(directory);
  // The journal commits when somebody syncs, and not by the clock: nothing is durable by luck.
  await run('mount', ['-o', 'loop,noatime,commit=300', image, directory]);
  return {
    image,
    directory,
    async unmount() {
      await run('umount', [directory]);
    },
  };
}
