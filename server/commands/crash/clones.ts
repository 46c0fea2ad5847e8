import { createSimulatedDisk } from '#server/archive/simulated-file-system.ts';
import { type Load, newKey, openLoad } from '#server/proof/load.ts';
import { after, momentOf, type Scenario, underway } from './round.ts';
import { judgeSimulated, openOnSimulated } from './simulated-server.ts';

/** Cuts before a new disk is begun: the oracle reads all of it each time. */
const ROUNDS_OF_A_LIFE = 20;

/** R2 without root: the archive's disk is cut, and keeps what was synced and a random part of the rest. */
export async function runClones(scenario: Scenario): Promise<void> {
  for (let left = scenario.rounds; left > 0; left -= ROUNDS_OF_A_LIFE)
    await cutOften({ ...scenario, rounds: Math.min(left, ROUNDS_OF_A_LIFE) });
}

async function cutOften({ rounds, random, sabotage, onRound }: Scenario): Promise<void> {
  const key = newKey();
  let disk = createSimulatedDisk();
  let load: Load | undefined;
  let port = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const { server, store, die } = await openOnSimulated(disk, { key, port }, sabotage);
      ({ port } = server);
      load ??= openLoad({
        url: `http://127.0.0.1:${port}`,
        key,
        seed: random.below(2 ** 31),
        connections: 8,
      });
      const running = load;
      await underway(running);
      await after(random.between(20, 400));
      const moment = momentOf(running);
      disk = disk.crash(() => random.next());
      // In the same turn, so that nothing durable only on the old disk is ever told of.
      die();
      onRound(await judgeSimulated('cut', disk, { load: running, store, moment }));
    }
  } finally {
    load?.close();
  }
}
