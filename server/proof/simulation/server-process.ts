import type { Archive } from '#server/archive/archive.ts';
import { ArchiveCorruptError } from '#server/archive/corrupt.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import type { FileSystem } from '#server/archive/file-system.ts';
import { sealHere } from '#server/archive/run-seal.ts';
import type { CollectionRules, Identify } from '#server/ingest/identity.ts';
import { type Ingest, openIngest } from '#server/ingest/ingest.ts';
import { DEFAULT_LIMITS } from '#server/ingest/limits.ts';
import { openRecorder } from '#server/ingest/record.ts';
import { endSession, hear, openSession } from '#server/ingest/session.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { type Owner, openOwner } from '#server/stream/owner.ts';
import type { FaultyDisk } from './faulty-disk.ts';
import type { FaultyStore } from './faulty-store.ts';
import { FOLDS, marks } from './folds.ts';
import type { Settings } from './plan.ts';
import type { Random } from './random.ts';
import type { Life, VirtualTime } from './virtual-time.ts';
import type { Listening, ServerEnd } from './wire.ts';

/** Where wrong lines are planted: around the ports of the code under test. */
export type Planted = {
  readonly archive?: (archive: Archive) => Archive;
  readonly store?: (store: StateStore) => StateStore;
  readonly fileSystem?: (fileSystem: FileSystem) => FileSystem;
  readonly ingest?: (ingest: Ingest) => Ingest;
  readonly folds?: typeof FOLDS;
};

export type Running = {
  readonly archive: Archive;
  readonly ingest: Ingest;
  owner(): Owner | null;
};

export type ProcessOptions = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly disk: FaultyDisk;
  readonly store: FaultyStore;
  readonly settings: Settings;
  readonly planted: Planted;
  readonly rules: CollectionRules;
  /** The server's wall clock. */
  readonly clock: () => number;
  /** An earlier owner, which does not know that it lost its place, goes on beside the new one. */
  readonly withStaleOwner: boolean;
  /** `corrupt`: the archive cannot be opened without a human. */
  readonly onEnd: (why: 'failed' | 'corrupt', error: unknown) => void;
};

/** One process of the server: the real archive, ingest and owner over a simulated disk, store, clock and wire. */
export type ServerProcess = {
  readonly life: Life;
  readonly listening: () => Listening;
  readonly running: () => Running | null;
  /** At once, in the middle of anything. */
  kill(): void;
  /** As on SIGTERM. */
  stop(done: () => void): void;
};

const BUILD = FOLDS.map(({ name, version }) => `${name}.v${version}`).join(' ');
const quiet = { info() {}, warn() {}, error() {} };

export function startProcess(options: ProcessOptions): ServerProcess {
  const { time } = options;
  const life: Life = { isAlive: true };
  let running: Running | null = null;
  let isStopping = false;

  async function boot(): Promise<void> {
    try {
      running = run(await openArchive(options, life, fail), options, life);
    } catch (error) {
      fail(error);
    }
  }
  function fail(error: unknown): void {
    if (!life.isAlive) return;
    life.isAlive = false;
    options.onEnd(error instanceof ArchiveCorruptError ? 'corrupt' : 'failed', error);
  }
  async function stop(done: () => void): Promise<void> {
    if (!running) return;
    isStopping = true;
    await running.ingest.stop();
    await running.owner()?.close();
    await running.archive.close();
    life.isAlive = false;
    done();
  }

  time.schedule(life, 0, () => void boot());
  return {
    life,
    running: () => running,
    listening: () => (running && !isStopping && life.isAlive ? listenOf(life, running.ingest) : null),
    kill() {
      life.isAlive = false;
    },
    stop: (done) => time.schedule(life, 0, () => void stop(done)),
  };
}

async function openArchive(
  options: ProcessOptions,
  life: Life,
  onFatal: (error: unknown) => void,
): Promise<Archive> {
  const { disk, planted, settings, clock } = options;
  const sound = disk.portFor(life);
  const fileSystem = planted.fileSystem?.(sound) ?? sound;
  const { sealBytes: atBytes, groupEntries, queueBytes } = settings;
  const archive = await openFileArchive({
    directory: '/archive',
    software: 'simulation',
    clock,
    onFatal,
    fileSystem,
    lock: async () => async () => {},
    runSeal: sealHere(fileSystem),
    limits: { minFreeBytes: 0, groupBytes: 8_192, sealBytes: atBytes, groupEntries, queueBytes },
  });
  return planted.archive?.(archive) ?? archive;
}

function run(archive: Archive, options: ProcessOptions, life: Life): Running {
  const { time, random, planted, settings, rules, clock } = options;
  const ticking = { now: clock, monotonic: time.now };
  const { burst, eventsPerSecond } = settings;
  const ingest = openIngest({
    archive,
    registry: { sources: new Map([[marks.name, marks]]), reducers: FOLDS },
    identify: NOBODY,
    rules,
    recorder: openRecorder({ archive, clock: ticking }),
    clock: ticking,
    limits: { ...DEFAULT_LIMITS, burst, eventsPerSecond },
  });
  let owner: Owner | null = null;
  const begin = () => {
    owner = ownerOf(archive, options, life);
  };
  if (options.withStaleOwner) {
    // No mark lies between the fences of two starts, so any number between them will do for the earlier one.
    ownerOf({ ...archive, fence: archive.fence - 1 }, options, life);
    time.schedule(life, random.below(2_000), begin);
  } else begin();
  return { archive, ingest: planted.ingest?.(ingest) ?? ingest, owner: () => owner };
}

function ownerOf(archive: Archive, options: ProcessOptions, life: Life): Owner {
  const { store, planted, settings, clock } = options;
  const port = store.portFor(life);
  const { flushEveryMs, hotBytes } = settings;
  return openOwner({
    archive,
    store: planted.store?.(port) ?? port,
    registry: { reducers: planted.folds ?? FOLDS, build: BUILD },
    log: quiet,
    clock,
    limits: { flushEveryMs, hotBytes, retryMs: [20, 500] },
  });
}

/** Credentials are not part of the simulation: each socket comes with its student proved. */
const NOBODY: Identify = {
  byToken: async () => null,
  byCookie: async () => null,
  byClaim: async () => 'claims-off',
};

function listenOf(life: Life, ingest: Ingest): Listening {
  return {
    life,
    accept(student, end) {
      const identity = {
        student,
        school: 'school',
        kind: 'verified' as const,
        credential: `credential of ${student}`,
        expiresAt: null,
      };
      const connection = ingest.open({ identity, edge: 'socket', peer: peerOf(end) });
      const session = openSession(ingest, connection);
      return {
        message: (text, reply) => hear(session, text, Buffer.byteLength(text), reply),
        closed: () => endSession(session, 'closed'),
      };
    },
  };
}

function peerOf(end: ServerEnd) {
  return { push: end.push, pause: end.pause, resume: end.resume, close: () => end.close() };
}
