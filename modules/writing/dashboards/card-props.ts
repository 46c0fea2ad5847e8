import { slotOf } from './bins.ts';
import type { CardProps } from './card.tsx';
import type { ClassRow } from './class-row.ts';
import { mostOf, type Prepared } from './prepare.ts';

type Shared = {
  readonly rows: readonly ClassRow[];
  readonly now: number;
  readonly waiting: ReadonlySet<string>;
  readonly timezone: string;
  readonly studentHref: (student: string) => string;
  /** The student whose card Tab stops at. */
  readonly stop: string | undefined;
};

/**
 * What each card is given. Everything that cards compare stays the same from second to second and while another
 * student writes, or one delta would draw a whole class.
 */
export function cardPropsOf(students: readonly Prepared[], shared: Shared): readonly CardProps[] {
  const slot = slotOf(shared.now);
  const most = mostOf(shared.rows, shared.now);
  return students.map(({ row, state }) => ({
    row,
    word: state.word,
    since: state.since,
    note: state.note,
    isWaiting: shared.waiting.has(row.student.id),
    slot,
    most,
    href: shared.studentHref(row.student.id),
    timezone: shared.timezone,
    isStop: row.student.id === shared.stop,
  }));
}
