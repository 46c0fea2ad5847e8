import type { Archive } from '#server/archive/archive.ts';
import type { FileSystem } from '#server/archive/file-system.ts';
import type { StateStore } from '#server/state/state-store.ts';

/**
 * Faults that are planted to see whether a proof sees them; each is what one wrong line of the server would do.
 * `answers-early`: acknowledged before the append (M2) · `never-syncs`: no `fdatasync` of groups (M1) · `folds-checkpoint-again`:
 * applied from C instead of C + 1 (M9) · `forgets-producers`: the dedupe table is empty at start (M4) ·
 * `forgets-a-student`: a flush moves the checkpoint without one student's states (M11) · `ignores-fences`: the store takes
 * what a stale owner flushes (M5, M6).
 */
export const SABOTAGES = [
  'answers-early',
  'never-syncs',
  'folds-checkpoint-again',
  'forgets-producers',
  'forgets-a-student',
  'ignores-fences',
] as const;
export type SabotageName = (typeof SABOTAGES)[number];

export type Sabotage = {
  readonly archive: (archive: Archive) => Archive;
  readonly store: (store: StateStore) => StateStore;
  readonly fileSystem: (fileSystem: FileSystem) => FileSystem;
};

export const NO_SABOTAGE: Sabotage = {
  archive: (archive) => archive,
  store: (store) => store,
  fileSystem: (fileSystem) => fileSystem,
};

export function sabotageOf(name: SabotageName | undefined): Sabotage {
  switch (name) {
    case 'answers-early':
      return { ...NO_SABOTAGE, archive: answersEarly };
    case 'never-syncs':
      return { ...NO_SABOTAGE, fileSystem: neverSyncs };
    case 'folds-checkpoint-again':
      return { ...NO_SABOTAGE, store: foldsCheckpointAgain };
    case 'forgets-producers':
      return { ...NO_SABOTAGE, archive: (archive) => ({ ...archive, producers: () => [] }) };
    case 'forgets-a-student':
      return { ...NO_SABOTAGE, store: forgetsAStudent };
    case 'ignores-fences':
      return { ...NO_SABOTAGE, archive: withoutFence, store: ignoresBase };
    case undefined:
      return NO_SABOTAGE;
  }
}

/** `done` is called at once; the append follows, and nobody hears how it ended. */
function answersEarly(archive: Archive): Archive {
  return {
    ...archive,
    append(drafts, done) {
      done(null, archive.end());
      setTimeout(() => archive.append(drafts, () => {}), 20);
    },
  };
}

function neverSyncs(fileSystem: FileSystem): FileSystem {
  return {
    ...fileSystem,
    async open(path, mode) {
      const file = await fileSystem.open(path, mode);
      return path.endsWith('.open') ? { ...file, datasync: async () => {} } : file;
    },
  };
}

/** Tells the owner a checkpoint that is one entry too low, and takes the first flush for one that builds on it. */
function foldsCheckpointAgain(store: StateStore): StateStore {
  let shift = 0;
  return {
    ...store,
    async claim(claim) {
      const checkpoint = await store.claim(claim);
      shift = checkpoint > 0 ? 1 : 0;
      return checkpoint - shift;
    },
    async load(student) {
      const loaded = await store.load(student);
      return { ...loaded, checkpoint: loaded.checkpoint - shift };
    },
    async flush(flush) {
      const base = flush.base + shift;
      shift = 0;
      return store.flush({ ...flush, base, checkpoint: Math.max(flush.checkpoint, base) });
    },
  };
}

function forgetsAStudent(store: StateStore): StateStore {
  return {
    ...store,
    flush(flush) {
      const writes = [...flush.writes];
      return store.flush({ ...flush, writes: writes.length > 1 ? writes.slice(1) : writes });
    },
  };
}

/** With every fence at 0 none is higher, and each flush is written over whatever is stored. */
const withoutFence = (archive: Archive): Archive => ({ ...archive, fence: 0 });

function ignoresBase(store: StateStore): StateStore {
  let archive = '';
  return {
    ...store,
    claim(claim) {
      archive = claim.archive;
      return store.claim(claim);
    },
    async flush(flush) {
      const base = await store.claim({ archive, fence: 0, end: Number.MAX_SAFE_INTEGER });
      return store.flush({ ...flush, base });
    },
  };
}
