import { AppError } from '#server/errors.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import type { Notices } from '#server/notices/notices.ts';
import type { Access } from './access.ts';
import { watchAccessChanges } from './access-changes.ts';
import { enrolledAt, living, openAt, taughtBy } from './in-force.ts';
import { isPermit, makePermit, type Subject } from './permit.ts';
import { readClassroom, readStudents } from './read-facts.ts';
import type { Action, Viewer } from './viewer.ts';

const PERMIT_MS = 30_000;
/** Under the five seconds within which a revocation has to act. */
const POLL_MS = 4_000;

/** One answer for *no* and for *is not there*. */
const notFound = () => new AppError('not-found', 'there is nothing here for you');

/** The one place that decides who sees whom. `close` ends its timer. */
export function openAccess(
  prisma: PrismaClient,
  notices: Notices,
  clock: () => number,
  options: { readonly pollMs?: number; readonly onError?: (error: unknown) => void } = {},
): Access & { poll(): Promise<void>; close(): void } {
  const changes = watchAccessChanges(prisma, notices, {
    pollMs: options.pollMs ?? POLL_MS,
    onError: options.onError ?? (() => {}),
  });

  const permit = <S extends Subject>(
    subject: S,
    viewer: Viewer,
    action: Action,
    id: string,
    through: string | null,
  ) =>
    makePermit<S>({
      subject,
      id,
      classroomId: through,
      viewerId: viewer.personId,
      sessionId: viewer.sessionId,
      action,
      until: clock() + PERMIT_MS,
    });

  const check: Access['check'] = (given) => {
    if (!isPermit(given) || given.until <= clock()) throw notFound();
  };

  return {
    async toClass(viewer, classroomId, action) {
      const found = await prisma.classroom.findFirst({
        where: { id: classroomId, ...taughtBy(viewer, action, new Date(clock())) },
        select: { id: true },
      });
      if (!found) throw notFound();
      return permit('class', viewer, action, classroomId, classroomId);
    },

    async toStudent(viewer, studentId, action, classroomId) {
      const now = new Date(clock());
      if (studentId === viewer.personId && action !== 'change') {
        if (!(await seesOwnData(prisma, viewer, now))) throw notFound();
        return permit('student', viewer, action, studentId, null);
      }
      const found = await prisma.enrollment.findFirst({
        where: {
          personId: studentId,
          ...(classroomId === undefined ? {} : { classroomId }),
          ...enrolledAt(viewer.schoolId, now),
          classroom: taughtBy(viewer, action, now),
        },
        select: { classroomId: true },
        orderBy: { classroomId: 'asc' },
      });
      if (!found) throw notFound();
      return permit('student', viewer, action, studentId, found.classroomId);
    },

    async toSchool(viewer, schoolId, _duty) {
      const now = new Date(clock());
      const found = await prisma.roleHolding.findFirst({
        where: {
          ...openAt(now),
          person: living(viewer, now),
          AND: {
            OR: [
              { role: 'school-admin', schoolId, school: { id: viewer.schoolId } },
              { role: 'district-admin', school: { children: { some: { id: schoolId } } } },
            ],
          },
        },
        select: { id: true },
      });
      if (!found) throw notFound();
      return permit('school', viewer, 'change', schoolId, null);
    },

    async studentsOf(given) {
      check(given);
      return readStudents(prisma, given, new Date(clock()));
    },
    async classroomOf(given) {
      check(given);
      const found = await readClassroom(prisma, given, new Date(clock()));
      if (!found) throw notFound();
      return found;
    },
    check,
    onChange: changes.onChange,
    poll: changes.poll,
    close: changes.close,
  };
}

/** The second half of the sentence: a student sees the own data unless the school has switched that off. */
async function seesOwnData(prisma: PrismaClient, viewer: Viewer, now: Date): Promise<boolean> {
  const [person, setting] = await Promise.all([
    prisma.person.findFirst({
      where: {
        ...living(viewer, now),
        enrollments: { some: { ...openAt(now), classroom: { schoolId: viewer.schoolId } } },
      },
      select: { id: true },
    }),
    prisma.setting.findUnique({
      where: {
        scope_scopeId_key: { scope: 'school', scopeId: viewer.schoolId, key: 'student.ownPage' },
      },
      select: { value: true },
    }),
  ]);
  return person !== null && setting?.value !== false;
}
