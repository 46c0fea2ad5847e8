import { join } from 'node:path';
import { newKey, openLoad } from '#server/proof/load.ts';
import { killAtStart, type ProofChild, startProofChild } from '#server/proof/proof-child.ts';
import { compareStateFiles } from '#server/proof/stored-states.ts';
import { runClones } from './clones.ts';
import { canMountLoops, cutPower, type LoopDisk, makeLoopDisk } from './loop-disk.ts';
import {
  after,
  archiveIn,
  inNewFolder,
  judge,
  momentOf,
  pemOf,
  type Scenario,
  SEAL_BYTES,
  underway,
} from './round.ts';

const IMAGE_MIB = 128;
const CUTS_OF_A_LIFE = 5;

/** R2: power cuts. On a real ext4 in an image file where that can be mounted, else on a simulated disk. */
export async function runCuts(scenario: Scenario): Promise<void> {
  if (!canMountLoops()) {
    console.log('cuts: no loop devices here, so a simulated disk is cut');
    await runClones(scenario);
    return;
  }
  for (let done = 0; done < scenario.rounds; done += CUTS_OF_A_LIFE) {
    const rounds = Math.min(CUTS_OF_A_LIFE, scenario.rounds - done);
    await inNewFolder((folder) => liveAndBeCut(scenario, folder, rounds));
  }
}

async function liveAndBeCut(scenario: Scenario, folder: string, rounds: number): Promise<void> {
  const { random, sabotage, onRound } = scenario;
  const key = newKey();
  let disk: LoopDisk = await makeLoopDisk(folder, 'disk', IMAGE_MIB);
  let child: ProofChild | undefined;
  let load: ReturnType<typeof openLoad> | undefined;
  let port = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const settings = { port, key: pemOf(key), sealBytes: SEAL_BYTES, sabotage };
      if (round % 3 === 2 && child) {
        // The power goes once more, in the middle of mending what was left.
        const mending = { ...settings, varDir: join(disk.directory, 'var') };
        await killAtStart(mending, child.readyMs * random.between(0.5, 1.1));
        disk = await cutPower(disk, folder, `disk-${round}-mending`);
      }
      child = await startProofChild({ ...settings, varDir: join(disk.directory, 'var') });
      ({ port } = child);
      load ??= openLoad({ url: `http://127.0.0.1:${port}`, key, seed: random.below(2 ** 31) });
      const running = load;
      await underway(running);
      await after(random.between(50, 900));
      const moment = momentOf(running);
      await child.end('SIGKILL');
      disk = await cutPower(disk, folder, `disk-${round}`);
      const left = join(disk.directory, 'var');
      onRound(
        await judge({
          what: 'cut',
          files: archiveIn(left),
          load: running,
          compare: (archive) => compareStateFiles(left, archive),
          moment,
          readyMs: child.readyMs,
        }),
      );
    }
  } finally {
    load?.close();
    await child?.end('SIGKILL');
    await disk.unmount();
  }
}
