import { openAt, SHOWN } from '#server/access/in-force.ts';
import type { Actor } from '#server/audit.ts';
import { AppError } from '#server/errors.ts';
import { newId } from '#server/new-id.ts';
import { changeRights, type RightsStore } from './change-rights.ts';

/** Enrols a person of the same school from now on; does nothing where she is enrolled. Throws `not-found` for anybody else. */
export async function addEnrollment(
  store: RightsStore,
  actor: Actor,
  classroomId: string,
  studentId: string,
  source: string,
): Promise<void> {
  const { prisma } = store;
  const now = new Date(store.clock());
  const person = await prisma.person.findFirst({
    where: { id: studentId, schoolId: actor.schoolId, ...SHOWN },
    select: { id: true, enrollments: { where: { classroomId, ...openAt(now) }, select: { id: true } } },
  });
  if (!person) throw new AppError('not-found', 'there is no such student in this school');
  if (person.enrollments.length > 0) return;
  await changeRights(
    store,
    actor,
    { action: 'enrollment added', classroomId, subjectKind: 'student', subjectId: studentId },
    { kind: 'roster', classroomId, personId: studentId },
    [
      prisma.enrollment.create({
        data: {
          id: newId(),
          classroomId,
          personId: studentId,
          schoolId: actor.schoolId,
          from: now,
          source,
          byHand: source === 'hand',
        },
      }),
    ],
  );
}
