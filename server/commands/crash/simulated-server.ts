import type { KeyObject } from 'node:crypto';
import { sealHere } from '#server/archive/run-seal.ts';
import type { SimulatedDisk } from '#server/archive/simulated-file-system.ts';
import type { Files } from '#server/proof/archive-reader.ts';
import type { Load } from '#server/proof/load.ts';
import { openProofServer, type ProofServer } from '#server/proof/proof-server.ts';
import { sabotageOf } from '#server/proof/sabotage.ts';
import { compareStates, SILENT } from '#server/proof/stored-states.ts';
import { openMemoryStore } from '#server/state/memory-store.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { judge, type Moment, type Round, type Scenario } from './round.ts';

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
  about: { readonly key: KeyObject; readonly port: number },
  sabotage: Scenario['sabotage'],
): Promise<SimulatedServer> {
  const failed = Promise.withResolvers<unknown>();
  const store = openMemoryStore();
  let isDead = false;
  const dead = () => Promise.reject(new Error('the process is dead'));
  const planted = sabotageOf(sabotage);
  const fileSystem = planted.fileSystem(disk.fileSystem);
  const server = await openProofServer({
    archive: {
      directory: DIRECTORY,
      fileSystem,
      lock: async () => async () => {},
      runSeal: sealHere(fileSystem),
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

export async function judgeSimulated(
  what: string,
  disk: SimulatedDisk,
  about: {
    readonly load: Load;
    readonly store?: StateStore;
    readonly moment?: Moment;
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
