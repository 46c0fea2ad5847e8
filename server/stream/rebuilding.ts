import { applyEntry } from './apply.ts';
import { after, type Core, isOver, tell, turn } from './core.ts';
import { type Hot, reasonOf } from './hot.ts';
import type { Folded } from './plan.ts';
import { foldAgain, takeOver } from './rebuild.ts';
import type { HotStudent } from './student.ts';
import { WHOLE, type WriteBehind } from './write-behind.ts';

/** Students whose states lack a reducer, or whom an operator wants folded again. */
export type Rebuilding = {
  /** The student, hot, has `skips`: fold these again. */
  add(student: HotStudent): void;
  prefer(students: Iterable<string>): void;
  /** Looks through all stored students for what this build lacks. */
  sweep(): Promise<void>;
  /** Folds some reducers of a student again, though nothing is missing; resolves when the new states are hot. */
  again(student: string, some: ReadonlySet<Folded>): Promise<void>;
  isWhole(student: string): boolean;
  progress(): { readonly done: number; readonly total: number };
  forget(): void;
};

export function openRebuilding(core: Core, hot: Hot, behind: WriteBehind): Rebuilding {
  let waiting = new Map<string, HotStudent>();
  let wanted = new Set<string>();
  let checked: Set<string> | null = new Set();
  let isWorking = false;
  let done = 0;
  let total = 0;
  const ended: (() => void)[] = [];

  function next(): HotStudent | undefined {
    for (const id of wanted) {
      const student = waiting.get(id);
      if (student) return student;
    }
    return waiting.values().next().value;
  }

  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    for (let student = next(); student; student = next()) {
      waiting.delete(student.id);
      await rebuild(student, wanted.has(student.id));
      for (const one of ended.splice(0)) one();
    }
    isWorking = false;
  }

  /** Whoever is not on a screen gets a quarter of a core. */
  async function rebuild(student: HotStudent, isWanted: boolean): Promise<void> {
    const { generation } = core;
    const isVoid = () => generation !== core.generation || isOver(core);
    let since = performance.now();
    const pause = async () => {
      const busyMs = performance.now() - since;
      await (isWanted || wanted.has(student.id) ? turn() : after(3 * busyMs));
      since = performance.now();
    };
    try {
      await fold(student, isVoid, pause);
    } catch (cause) {
      if (isVoid()) return;
      core.log.error({ student: student.id, reason: reasonOf(cause) }, 'a student cannot be folded again');
      await after(core.limits.retryMs[1]);
      if (!isVoid()) waiting.set(student.id, student);
    }
    if (!isWanted) await pause();
  }

  async function fold(student: HotStudent, isVoid: () => boolean, pause: () => Promise<void>): Promise<void> {
    const some = student.skips;
    if (!some || isVoid()) return;
    student.tail = [];
    const { archive, folding } = core;
    const shadow = await foldAgain({
      archive,
      folding,
      student: student.id,
      some,
      to: core.applied + 1,
      pause,
    });
    while (student.isFlushing && !isVoid()) await behind.settled();
    if (isVoid()) return;
    const { bytes, dirtyBytes } = student;
    // Applied to the live states already; the skipped reducers see it here.
    for (const entry of student.tail ?? []) applyEntry(folding, shadow, entry);
    const fresh = takeOver(student, shadow, some);
    student.tail = null;
    student.skips = null;
    student.folded = folding.plan.whole;
    student.isMarkDirty = true;
    core.hotBytes += student.bytes - bytes;
    core.dirtyBytes += student.dirtyBytes - dirtyBytes;
    core.dirty.add(student);
    done += 1;
    behind.poke();
    tell(
      core,
      student.id,
      fresh.map((cell) => cell.key),
    );
  }

  function add(student: HotStudent): void {
    total += 1;
    waiting.set(student.id, student);
    void work();
  }

  async function settle(student: HotStudent): Promise<void> {
    while (student.skips && !isOver(core) && core.hot.get(student.id) === student)
      await new Promise<void>((resolve) => ended.push(resolve));
  }

  async function sweepOnce(isVoid: () => boolean): Promise<void> {
    const { fields } = await core.store.load('');
    if (fields.get(WHOLE) === core.folding.plan.build || isVoid()) {
      checked = null;
      return;
    }
    for await (const id of core.store.students()) {
      if (isVoid()) return;
      if (id === '') continue;
      const since = performance.now();
      await settle(await hot.get(id));
      checked?.add(id);
      if (core.dirty.size > 0) behind.poke();
      hot.shrink();
      await after(3 * (performance.now() - since));
    }
    if (isVoid()) return;
    checked = null;
    behind.markWhole();
  }

  return {
    add,
    prefer(students) {
      wanted = new Set(students);
    },
    async sweep() {
      const { generation } = core;
      const isVoid = () => generation !== core.generation || isOver(core);
      while (checked && !isVoid()) {
        try {
          await sweepOnce(isVoid);
        } catch (cause) {
          core.log.warn({ reason: reasonOf(cause) }, 'the stored students cannot be looked through');
          await after(core.limits.retryMs[1]);
        }
      }
    },
    async again(id, some) {
      const student = await hot.get(id);
      await settle(student);
      const skips = core.folding.plan.withFed(some);
      student.skips = skips;
      // These miss what is applied from here on: should the process die before the end, the next one must know.
      student.folded = new Set([...student.folded].filter((one) => !skips.has(one)));
      student.isMarkDirty = true;
      add(student);
      await settle(student);
    },
    isWhole(id) {
      const student = core.hot.get(id);
      if (student) return student.skips === null;
      return checked === null || checked.has(id);
    },
    progress: () => ({ done, total }),
    forget() {
      waiting = new Map();
      checked = new Set();
      done = 0;
      total = 0;
      for (const one of ended.splice(0)) one();
    },
  };
}
