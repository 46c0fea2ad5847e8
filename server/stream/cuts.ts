import { cutOf, type StudentCut, uncut } from './persist.ts';
import type { Plan } from './plan.ts';
import type { HotStudent } from './student.ts';

/**
 * The students of one flush, all of them as they were when it began: each is cut when the store comes to it, or before the
 * next entry changes it. So a flush begins at once however many there are, and old values live only of those that were
 * overtaken.
 */
export type Cuts = {
  /** MUST be called before an entry is folded into a student; nothing happens where it is cut already or no part of this. */
  before(student: HotStudent): void;
  /** Every cut once; walked once. */
  each(): Iterable<StudentCut>;
  /** Those that were cut so far. */
  done(): readonly StudentCut[];
  /** The flush failed: all students, dirty again. */
  undo(): readonly HotStudent[];
  /** All students of the flush may leave the memory again, as far as it goes. */
  release(): void;
};

export function openCuts(students: Iterable<HotStudent>, plan: Plan): Cuts {
  const due = new Set(students);
  const done: StudentCut[] = [];
  let next = 0;
  for (const student of due) student.isFlushing = true;

  function before(student: HotStudent): void {
    if (due.delete(student)) done.push(cutOf(student, plan));
  }

  return {
    before,
    *each() {
      for (const student of due) {
        before(student);
        for (; next < done.length; next++) yield done[next] as StudentCut;
      }
      for (; next < done.length; next++) yield done[next] as StudentCut;
    },
    done: () => done,
    undo() {
      for (const cut of done) uncut(cut);
      return [...done.map(({ student }) => student), ...due];
    },
    release() {
      for (const { student } of done) student.isFlushing = false;
      for (const student of due) student.isFlushing = false;
    },
  };
}
