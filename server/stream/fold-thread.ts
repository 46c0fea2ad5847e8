import { parentPort, workerData } from 'node:worker_threads';
import type { Reducer } from '#modules/kit/index.ts';
import { openByStudent } from '#server/archive/by-student.ts';
import type { StudentWrites } from '#server/state/state-store.ts';
import { applyEntry, type Folding, isFolded } from './apply.ts';
import { type FoldedPart, type FoldJob, type FoundHalt, MOST_WAITING, SHARED } from './fold-job.ts';
import { cutOf, writesOf } from './persist.ts';
import { planOf } from './plan.ts';
import { newStudent } from './student.ts';

const POST_CHARS = 256 * 1024;

const job = workerData as FoldJob;
const shared = new Int32Array(job.shared);
const { reducers } = (await import(job.reducers)) as { readonly reducers: readonly Reducer[] };
const plan = planOf(reducers, job.build);
if (plan.all.map(({ name }) => name).join() !== job.names.join())
  throw new Error('the thread has other reducers than the process');

let writes: StudentWrites[] = [];
let halts: FoundHalt[] = [];
let chars = 0;
const folding: Folding = {
  plan,
  onStep: () => {},
  isStuck: () => false,
  onHalt: ({ index }, { halt }) => {
    if (halt) halts.push({ reducer: index, halt });
  },
};
const read = openByStudent(job.segments);

function post(isLast: boolean): void {
  Atomics.add(shared, SHARED.waiting, 1);
  parentPort?.postMessage({ writes, halts, isLast } satisfies FoldedPart);
  writes = [];
  halts = [];
  chars = 0;
  for (let n = Atomics.load(shared, SHARED.waiting); n > MOST_WAITING; ) {
    Atomics.wait(shared, SHARED.waiting, n);
    n = Atomics.load(shared, SHARED.waiting);
  }
}

/** A student from the first event on; undefined where no event of hers can change a state. */
function fold({ id, stream }: FoldJob['students'][number]): StudentWrites | undefined {
  const student = newStudent(id, plan);
  let isTouched = false;
  read(stream, (entry) => {
    Atomics.add(shared, SHARED.entries, 1);
    if (!isFolded(entry)) return;
    isTouched = true;
    applyEntry(folding, student, entry);
  });
  return isTouched ? writesOf(cutOf(student, plan)).writes : undefined;
}

for (;;) {
  const student = job.students[Atomics.add(shared, SHARED.next, 1)];
  if (!student) break;
  const folded = fold(student);
  if (!folded) continue;
  writes.push(folded);
  for (const [, value] of folded.set) chars += value.length;
  if (chars > POST_CHARS) post(false);
}
post(true);
