import type { Entry } from '#server/archive/entry.ts';
import { AppError } from '#server/errors.ts';
import { applyEntry } from './apply.ts';
import { type Core, isOver, nameOf, tell } from './core.ts';
import { studentFrom } from './persist.ts';
import type { HotStudent } from './student.ts';

/** The students in memory: loading, applying, leaving. */
export type Hot = {
  /** The student, from memory or from the store. Rejects when the store does not answer; the caller tries again. */
  get(id: string): Promise<HotStudent>;
  /** Folds the entry into its student, who must be hot. */
  apply(student: HotStudent, entry: Entry): void;
  /** A flush to this checkpoint begins: a load that is under way may find it, too. */
  expect(checkpoint: number): void;
  /** Lets clean students go, those not used for longest first, until the rest is within the limit. */
  shrink(): void;
  forget(): void;
};

type Loading = { readonly promise: Promise<HotStudent>; readonly allowed: number[] };

/** `onMismatch`: the store's checkpoint is not the one that the hot states build on. `onIncomplete`: reducers are missing. */
export function openHot(
  core: Core,
  on: { readonly mismatch: () => void; readonly incomplete: (student: HotStudent) => void },
): Hot {
  const loading = new Map<string, Loading>();
  let expected: number | null = null;

  async function load(id: string, allowed: number[]): Promise<HotStudent> {
    const { generation } = core;
    const loaded = await core.store.load(id);
    if (generation !== core.generation || isOver(core)) throw voided();
    if (!allowed.includes(loaded.checkpoint)) {
      on.mismatch();
      throw voided();
    }
    const student = studentFrom(id, loaded, core.folding.plan);
    core.hot.set(id, student);
    core.hotBytes += student.bytes;
    if (loaded.fields.size > 0 && student.isMarkDirty) core.dirty.add(student);
    if (student.skips) on.incomplete(student);
    return student;
  }

  function begin(id: string): Promise<HotStudent> {
    const allowed = expected === null ? [core.base] : [core.base, expected];
    const entry: Loading = { allowed, promise: load(id, allowed).finally(() => end(id, entry)) };
    loading.set(id, entry);
    return entry.promise;
  }

  function end(id: string, entry: Loading): void {
    if (loading.get(id) === entry) loading.delete(id);
  }

  return {
    async get(id) {
      const student = core.hot.get(id) ?? (await (loading.get(id)?.promise ?? begin(id)));
      student.used = ++core.tick;
      return student;
    },
    apply(student, entry) {
      core.cuts?.before(student);
      const { bytes, dirtyBytes } = student;
      const keys = applyEntry(core.folding, student, entry);
      core.folding.onStep(-1, entry.o, 0);
      student.tail?.push(entry);
      student.used = ++core.tick;
      core.hotBytes += student.bytes - bytes;
      core.dirtyBytes += student.dirtyBytes - dirtyBytes;
      if (student.dirty.length > 0 || student.isMarkDirty) core.dirty.add(student);
      tell(core, student.id, keys, entry.t);
    },
    expect(checkpoint) {
      expected = checkpoint;
      for (const { allowed } of loading.values()) allowed.push(checkpoint);
    },
    shrink() {
      if (core.hotBytes <= core.limits.hotBytes) return;
      const idle = [...core.hot.values()].filter((student) => mayLeave(core, student));
      idle.sort((a, b) => a.used - b.used);
      for (const student of idle) {
        if (core.hotBytes <= core.limits.hotBytes * 0.9) return;
        core.hot.delete(student.id);
        core.hotBytes -= student.bytes;
      }
    },
    forget() {
      core.hot.clear();
      core.dirty.clear();
      core.dirtyBytes = 0;
      core.hotBytes = 0;
      loading.clear();
      expected = null;
    },
  };
}

function mayLeave(core: Core, student: HotStudent): boolean {
  return !core.dirty.has(student) && !student.isFlushing && student.skips === null;
}

function voided(): AppError {
  return new AppError('unavailable', 'the states are being taken anew from the store');
}

/** One line for the log; never what a student wrote. */
export function reasonOf(cause: unknown): string {
  return cause instanceof AppError ? cause.code : nameOf(cause);
}
