import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newKey, openLoad } from '#server/proof/load.ts';
import { startProofChild } from '#server/proof/proof-child.ts';
import { compareStateFiles } from '#server/proof/stored-states.ts';
import { canMountLoops, makeLoopDisk } from './loop-disk.ts';
import {
  after,
  archiveIn,
  eventually,
  inNewFolder,
  judge,
  momentOf,
  pemOf,
  type Round,
  type Scenario,
} from './round.ts';

/** MiB of the file system, and of the ballast that is taken out of it when it is full. */
const DISKS = [
  { mib: 4, ballastMib: 1 },
  { mib: 64, ballastMib: 8 },
] as const;
const MIB = 1024 * 1024;
const LEFT_BYTES = 768 * 1024;
const RESUME_MS = 5_000;
const FILL_MS = 20_000;
const STORED_MS = 15_000;
/** What was on its way has had its end by then. */
const REST_MS = 300;

/** R11: a small file system runs full under load. The server says `disk-full`, tears nothing, and goes on by itself once there is room. */
export async function runFull(scenario: Scenario): Promise<void> {
  if (!canMountLoops()) {
    console.log('full: no loop devices here, so no disk of a few MiB');
    return;
  }
  for (let round = 0; round < scenario.rounds; round += 1) {
    const disk = DISKS[round % DISKS.length] ?? DISKS[0];
    scenario.onRound(await inNewFolder((folder) => fill(scenario, folder, disk)));
  }
}

async function fill(
  { random, sabotage }: Scenario,
  folder: string,
  { mib, ballastMib }: (typeof DISKS)[number],
): Promise<Round> {
  const key = newKey();
  const disk = await makeLoopDisk(folder, 'disk', mib);
  const varDir = join(disk.directory, 'var');
  const ballast = join(disk.directory, 'ballast');
  await writeFile(ballast, Buffer.alloc(ballastMib * MIB));
  // A larger disk is filled up by a file, since what matters is its end.
  const { bavail, bsize } = await statfs(disk.directory);
  if (mib > 4) await writeFile(join(disk.directory, 'rest'), Buffer.alloc(bavail * bsize - 2 * LEFT_BYTES));
  const child = await startProofChild({ varDir, port: 0, key: pemOf(key), sealBytes: 256 * 1024, sabotage });
  const load = openLoad({ url: `http://127.0.0.1:${child.port}`, key, seed: random.below(2 ** 31) });
  const others: string[] = [];
  try {
    if (!(await eventually(() => load.heard('disk-full') > 0, FILL_MS)))
      others.push('disk-full was never heard');
    const moment = momentOf(load);
    load.stopCapturing();
    await after(REST_MS);
    const before = load.acknowledged();
    await rm(ballast);
    const roomSince = performance.now();
    if (!(await eventually(() => load.acknowledged() > before, 2 * RESUME_MS)))
      others.push('it never accepted again');
    const ms = performance.now() - roomSince;
    if (ms > RESUME_MS) others.push(`it accepted again after ${Math.round(ms)} ms`);
    // What clients still hold is little, and there is room for it now, in the archive and in the states.
    const isAllStored = load.drain(STORED_MS).then(() => child.ask('quiet'));
    const late = after(2 * STORED_MS).then(() => Promise.reject(new Error('the states did not catch up')));
    await Promise.race([isAllStored, late]).catch((error: Error) => others.push(error.message));
    await child.end('SIGKILL');
    const round = await judge({
      what: `full ${mib} MiB`,
      files: archiveIn(varDir),
      load,
      compare: (archive) => compareStateFiles(varDir, archive),
      moment,
      others,
    });
    return { ...round, note: `accepted again after ${Math.round(ms)} ms` };
  } finally {
    load.close();
    await child.end('SIGKILL');
    await disk.unmount();
  }
}
