import { availableParallelism } from 'node:os';
import type { SealedPicture } from '#server/archive/by-student.ts';
import { AppError } from '#server/errors.ts';
import type { StudentWrites } from '#server/state/state-store.ts';
import { after, type Core, tell } from './core.ts';
import type { FoldedPart } from './fold-job.ts';
import { foldInThreads } from './fold-threads.ts';
import { type Hot, reasonOf } from './hot.ts';
import { allCells } from './student.ts';
import { WHOLE } from './write-behind.ts';

/** Less is folded before threads have started. */
const FROM_BYTES = 2 * 1024 * 1024;
const MOST_THREADS = 8;
/** An index of each segment is in the memory of each thread. */
const MOST_SEGMENTS = 4_096;

/**
 * Folds all that the sealed segments hold into a store that holds nothing, in threads beside this one: students do not
 * know of each other, and segments lie in order of student. What a thread makes of a student is what the store gets
 * anyway, text, so nothing else crosses over.
 *
 * Parts go to the store under no checkpoint, the last one with it: a store without a checkpoint holds nothing that may
 * be believed, and is emptied. Gives the checkpoint; −1 where there is too little for threads or they fail, and then
 * the store is empty and everything is to be folded here.
 */
export async function recoverInThreads(
  core: Core,
  hot: Hot,
  reducers: string | undefined,
  isVoid: () => boolean,
): Promise<number> {
  await emptied(core, isVoid);
  const picture = reducers === undefined ? undefined : core.archive.sealed?.();
  const checkpoint = picture?.segments.at(-1)?.last ?? -1;
  if (!picture || reducers === undefined || isVoid() || !isWorthThreads(picture)) return -1;
  try {
    await foldInto(core, hot, { reducers, picture, checkpoint, isVoid });
    return checkpoint;
  } catch (cause) {
    if (isVoid()) return -1;
    core.log.warn({ reason: reasonOf(cause) }, 'threads cannot fold the archive: the main thread does');
    await emptied(core, isVoid);
    return -1;
  }
}

function isWorthThreads({ segments, students }: SealedPicture): boolean {
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const isMany = students.length > 1 && availableParallelism() > 1;
  return isMany && bytes >= FROM_BYTES && segments.length <= MOST_SEGMENTS;
}

type Fold = {
  readonly reducers: string;
  readonly picture: SealedPicture;
  readonly checkpoint: number;
  readonly isVoid: () => boolean;
};

async function foldInto(
  core: Core,
  hot: Hot,
  { reducers, picture, checkpoint, isVoid }: Fold,
): Promise<void> {
  const { plan } = core.folding;
  let gathered: StudentWrites[] = [];
  let chars = 0;
  const take = async ({ writes, halts }: FoldedPart) => {
    for (const { reducer, halt } of halts) {
      const folded = plan.all[reducer];
      if (folded) core.folding.onHalt(folded, { halt });
    }
    gathered.push(...writes);
    for (const { set } of writes) for (const [, value] of set) chars += value.length;
    if (chars < core.limits.flushBytes) return;
    await flushed(core, -1, gathered);
    gathered = [];
    chars = 0;
  };
  await foldInThreads({
    job: { ...picture, reducers, build: plan.build, names: plan.all.map(({ name }) => name) },
    threads: Math.min(availableParallelism(), MOST_THREADS, picture.students.length),
    take,
    isVoid,
  });
  gathered.push({ student: '', set: [[WHOLE, plan.build]], del: [] });
  hot.expect(checkpoint);
  await flushed(core, checkpoint, gathered);
}

async function flushed(core: Core, checkpoint: number, writes: readonly StudentWrites[]): Promise<void> {
  const since = performance.now();
  const result = await core.store.flush({ fence: core.archive.fence, base: -1, checkpoint, writes });
  if (!result.ok) throw new AppError('conflict', `the store refuses what was folded: ${result.why}`);
  core.measures.flushMs.note(performance.now() - since);
}

/** Takes away what a fold left that did not come to its end; asks until the store answers. */
async function emptied(core: Core, isVoid: () => boolean): Promise<void> {
  while (!isVoid()) {
    try {
      for await (const _ of core.store.students()) {
        await core.store.empty(core.archive.fence);
        break;
      }
      core.isStoreSilent = false;
      return;
    } catch (cause) {
      core.isStoreSilent = true;
      core.log.warn({ reason: reasonOf(cause) }, 'the state store does not answer');
      await after(core.limits.retryMs[1]);
    }
  }
}

/** Whoever read these students before they were folded looks again. */
export async function tellAgain(core: Core, hot: Hot, students: readonly string[]): Promise<void> {
  for (const id of students) {
    // Who cannot be loaded now is read anew with the next event of hers.
    const student = await hot.get(id).catch(() => null);
    if (student)
      tell(
        core,
        id,
        Array.from(allCells(student), (cell) => cell.key),
      );
  }
}
