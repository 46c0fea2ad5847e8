import type { FileSystem } from '#server/archive/file-system.ts';
import type { Ingest } from '#server/ingest/ingest.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { sabotageOf } from '../sabotage.ts';
import { FOLDS } from './folds.ts';
import type { Planted } from './server-process.ts';

/**
 * Wrong lines that a simulation has to find, each as it would look from outside the code that has it. The numbers are those of
 * delivery.md §16.
 */
export const PLANTED: Readonly<Record<string, Planted>> = {
  'M1 nothing is synced': { fileSystem: sabotageOf('never-syncs').fileSystem },
  'M2 acknowledged before it is durable': { archive: sabotageOf('answers-early').archive },
  'M3 a duplicate is acknowledged before its original is durable': { ingest: acknowledgesKnown },
  'M4 the producers table is empty at start': { archive: (archive) => ({ ...archive, producers: () => [] }) },
  'M5, M6 neither base nor fence is compared': { store: takesAnything },
  'M7 hashes are not compared after a start': {
    archive: (archive) => ({
      ...archive,
      producers: () => [...archive.producers()].map((row) => ({ ...row, hashes: new Uint8Array() })),
    }),
  },
  'M8 the count of bytes written is ignored': { fileSystem: believesWrites },
  'M9 applied from the checkpoint, not behind it': { store: sabotageOf('folds-checkpoint-again').store },
  'M11 the checkpoint is written apart from the states': { store: writesTwice },
  'M15 after a failed step the next one runs': { folds: FOLDS.map(carriesOn) },
  'M16 what a start found is not synced again': { fileSystem: keepsTail },
};

/** A batch that was taken before, and is on its way to the disk, is answered as if it were there. */
function acknowledgesKnown(ingest: Ingest): Ingest {
  return {
    ...ingest,
    accept(connection, received, answer) {
      const upTo = received.batch.from + received.batch.events.length - 1;
      const { last = 0, durable = 0 } = connection.producer ?? {};
      if (durable < upTo && upTo <= last) answer({ type: 'stored', upTo, bad: [] });
      else ingest.accept(connection, received, answer);
    },
  };
}

function believesWrites(fileSystem: FileSystem): FileSystem {
  return {
    ...fileSystem,
    async open(path, mode) {
      const file = await fileSystem.open(path, mode);
      const write = async (bytes: Uint8Array, position: number) => {
        await file.write(bytes, position);
        return bytes.length;
      };
      return { ...file, write };
    },
  };
}

/** Whoever flushes is taken for the one whose turn it is. */
function takesAnything(store: StateStore): StateStore {
  return {
    ...store,
    async flush(flush) {
      const fence = Number.MAX_SAFE_INTEGER;
      const { checkpoint } = await store.load('');
      return store.flush({ ...flush, fence, base: checkpoint });
    },
  };
}

function writesTwice(store: StateStore): StateStore {
  return {
    ...store,
    async flush(flush) {
      const states = await store.flush({ ...flush, checkpoint: flush.base });
      return states.ok ? store.flush({ ...flush, writes: [] }) : states;
    },
  };
}

function carriesOn(reducer: (typeof FOLDS)[number]): (typeof FOLDS)[number] {
  const on = Object.fromEntries(
    Object.entries(reducer.on).map(([event, step]) => [event, carryOn(step as Step)]),
  );
  return { ...reducer, on } as (typeof FOLDS)[number];
}

type Step = (state: unknown, event: unknown, emit: unknown) => unknown;

function carryOn(step: Step): Step {
  return (state, event, emit) => {
    try {
      return step(state, event, emit);
    } catch {
      return state;
    }
  };
}

/** Sealed segments that a start or a sealing writes are never synced. */
function keepsTail(fileSystem: FileSystem): FileSystem {
  return {
    ...fileSystem,
    async open(path, mode) {
      const file = await fileSystem.open(path, mode);
      return path.includes('.seg') ? { ...file, datasync: async () => {} } : file;
    },
  };
}
