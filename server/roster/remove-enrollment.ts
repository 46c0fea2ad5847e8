import { openAt } from '#server/access/in-force.ts';
import type { Actor } from '#server/audit.ts';
import { AppError } from '#server/errors.ts';
import { changeRights, type RightsStore } from './change-rights.ts';

/** Ends an enrolment: an end date, never a deletion, so that a student who returns has the same history. Throws `not-found` when there is none. */
export async function removeEnrollment(
  store: RightsStore,
  actor: Actor,
  classroomId: string,
  studentId: string,
): Promise<void> {
  const now = new Date(store.clock());
  const open = { classroomId, personId: studentId, schoolId: actor.schoolId, ...openAt(now) };
  const found = await store.prisma.enrollment.findFirst({ where: open, select: { id: true } });
  if (!found) throw new AppError('not-found', 'this student is not in this class');
  await changeRights(
    store,
    actor,
    { action: 'enrollment removed', classroomId, subjectKind: 'student', subjectId: studentId },
    { kind: 'roster', classroomId, personId: studentId },
    [store.prisma.enrollment.updateMany({ where: open, data: { until: now, byHand: true } })],
  );
}
