import { createSimulatedDisk, type Operation, systemError } from '#server/archive/simulated-file-system.ts';
import { type Load, newKey, openLoad } from '#server/proof/load.ts';
import { after, eventually, momentOf, type Scenario } from './round.ts';
import { judgeSimulated, openOnSimulated, type SimulatedServer } from './simulated-server.ts';

const OPERATIONS: readonly Operation[] = [
  'write',
  'sync',
  'open',
  'rename',
  'link',
  'unlink',
  'sync-directory',
];
/** About as many of each as a round has, sealings included. */
const MOST: Readonly<Partial<Record<Operation, number>>> = { write: 60, sync: 60, open: 12, unlink: 6 };
const LIVE_MS = 1_500;

/** Rounds before a new disk is begun. */
const ROUNDS_OF_A_LIFE = 28;

/**
 * R12 with the whole server above the archive: the disk fails at the k-th write, sync, open, …, once or for ever, during
 * starts too. Nobody is told of what is not durable, and the next start is right, after a kill and after a power cut. (At every
 * k, without a server: `server/archive/faults.slow.test.ts`.)
 */
export async function runFaults(scenario: Scenario): Promise<void> {
  for (let left = scenario.rounds; left > 0; left -= ROUNDS_OF_A_LIFE)
    await failOften({ ...scenario, rounds: Math.min(left, ROUNDS_OF_A_LIFE) });
}

async function failOften({ rounds, random, sabotage, onRound }: Scenario): Promise<void> {
  const key = newKey();
  let disk = createSimulatedDisk();
  let load: Load | undefined;
  let port = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const operation = OPERATIONS[round % OPERATIONS.length] ?? 'write';
      const k = random.below(MOST[operation] ?? 4);
      const isForEver = random.next() < 0.5;
      const fail = failAt(operation, k, isForEver);
      // The first round needs somebody to send to.
      if (round > 0) disk.setFault(fail.fault);
      const life = await openOnSimulated(disk, { key, port }, sabotage).catch(() => undefined);
      if (life) ({ port } = life.server);
      disk.setFault(fail.fault);
      load ??= openLoad({
        url: `http://127.0.0.1:${port}`,
        key,
        seed: random.below(2 ** 31),
        connections: 6,
      });
      if (life) await liveUntil(life, load, fail.hasFailed);
      const moment = momentOf(load);
      const isCut = random.next() < 0.5;
      disk.setFault(undefined);
      if (isCut) disk = disk.crash(() => random.next());
      life?.die();
      const what = `${operation} ${k + 1} fails ${isForEver ? 'for ever' : 'once'}${life ? '' : ', at the start'}`;
      const store = life && !isCut ? life.store : undefined;
      const note = `${fail.hasFailed() ? 'met' : 'not met'}, ${isCut ? 'then cut' : 'then killed'}`;
      onRound({ ...(await judgeSimulated(what, disk, { load, store, moment })), note });
    }
    // The clients' events are all taken once the disk is sound again.
    const life = await openOnSimulated(disk, { key, port }, sabotage);
    await load?.drain();
    await life.server.quiet();
    life.die();
    if (load) onRound(await judgeSimulated('rest', disk, { load, store: life.store }));
  } finally {
    load?.close();
  }
}

function failAt(operation: Operation, k: number, isForEver: boolean) {
  let met = 0;
  let failed = false;
  return {
    hasFailed: () => failed,
    fault(now: Operation) {
      if (now !== operation) return undefined;
      met += 1;
      if (met !== k + 1 && !(isForEver && met > k)) return undefined;
      failed = true;
      return systemError('EIO');
    },
  };
}

/** Until the archive gives up, or, where the error never came or did no harm, for a while. */
async function liveUntil(life: SimulatedServer, load: Load, hasFailed: () => boolean): Promise<void> {
  await eventually(() => load.inFlight() > 0, 2_000);
  await Promise.race([life.failed, after(LIVE_MS)]);
  if (hasFailed()) await Promise.race([life.failed, after(100)]);
}
