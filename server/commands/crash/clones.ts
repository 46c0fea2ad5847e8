import { sealBytes } from '#server/archive/seal-bytes.ts';
import { createSimulatedDisk, type SimulatedDisk } from '#server/archive/simulated-file-system.ts';
import type { Files } from '#server/proof/archive-reader.ts';
import { type Load, newKey, openLoad } from '#server/proof/load.ts';
import { openProofServer, type ProofServer } from '#server/proof/proof-server.ts';
import { sabotageOf } from '#server/proof/sabotage.ts';
import { compareStates, SILENT } from '#server/proof/stored-states.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { after, eventually, judge, momentOf, type Round, type Scenario } from './round.ts';

/** Small, so that sealings happen within a round. */
const SEAL_BYTES = 128 * 1024;
const DIRECTORY = '/archive';

/** A server of this process whose archive is on a simulated disk, and its store in memory. */
export type SimulatedServer = {
  readonly server: ProofServer;
  readonly store: StateStore;
  /** The process is dead from this turn on: no socket hears, and no flush reaches the store any more. */
  die(): void;
  /** Resolves when the archive says that the disk has failed. */
  readonly failed: Promise<unknown>;
};

export async function openOnSimulated(
  disk: SimulatedDisk,
  about: { readonly key: ReturnType<typeof newKey>; readonly port: number },
  sabotage: Scenario['sabotage'],
): Promise<SimulatedServer> {
  const failed = Promise.withResolvers<unknown>();
  const store = openMemoryStore();
  let isDead = false;
  const dead = () => Promise.reject(new Error('the process is dead'));
  const planted = sabotageOf(sabotage);
  const server = await openProofServer({
    archive: {
      directory: DIRECTORY,
      fileSystem: planted.fileSystem(disk.fileSystem),
      lock: async () => async () => {},
      runSeal: async (job) => sealBytes(job),
      onFatal: failed.resolve,
      limits: { minFreeBytes: 0, sealBytes: SEAL_BYTES, checkEveryMs: 50 },
    },
    openStore: async () => ({ ...store, flush: (flush) => (isDead ? dead() : store.flush(flush)) }),
    key: about.key,
    log: SILENT,
    port: about.port,
    sabotage: planted,
  });
  const die = () => {
    isDead = true;
    server.drop();
  };
  return { server, store, die, failed: failed.promise };
}

export function filesOf(disk: SimulatedDisk): Files {
  const files = disk.files();
  return {
    list(under) {
      const prefix = `${DIRECTORY}/${under}/`;
      return [...files.keys()]
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length));
    },
    read: (path) => files.get(`${DIRECTORY}/${path}`) ?? Buffer.alloc(0),
  };
}

/** R2 without root: the archive's disk is cut, and keeps what was synced and a random part of the rest. */
export async function runClones({ rounds, random, sabotage, onRound }: Scenario): Promise<void> {
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
      await eventually(() => running.inFlight() > 0, 5_000);
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

export async function judgeSimulated(
  what: string,
  disk: SimulatedDisk,
  about: {
    readonly load: Load;
    readonly store?: StateStore;
    readonly moment?: ReturnType<typeof momentOf>;
    readonly others?: readonly string[];
  },
): Promise<Round> {
  const { load, store, moment, others } = about;
  return judge({
    what,
    files: filesOf(disk),
    load,
    compare: async (archive) => (store ? compareStates(store, archive) : { wrong: [] }),
    ...(moment ? { moment } : {}),
    ...(others ? { others } : {}),
  });
}
