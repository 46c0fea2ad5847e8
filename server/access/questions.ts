import type { PrismaClient } from '#server/generated/prisma/client.ts';
import { enrolledAt, living, openAt, taughtBy } from './in-force.ts';
import type { Action, Viewer } from './viewer.ts';

/** Does the viewer teach this class now? One question of the database, whatever the answer. */
export async function teaches(
  prisma: PrismaClient,
  viewer: Viewer,
  classroomId: string,
  action: Action,
  now: Date,
): Promise<boolean> {
  const found = await prisma.classroom.findFirst({
    where: { id: classroomId, ...taughtBy(viewer, action, now) },
    select: { id: true },
  });
  return found !== null;
}

/** The class through which the viewer sees the student now; null where there is none. */
export async function findClassBetween(
  prisma: PrismaClient,
  viewer: Viewer,
  asked: { readonly studentId: string; readonly classroomId: string | undefined; readonly action: Action },
  now: Date,
): Promise<string | null> {
  const found = await prisma.enrollment.findFirst({
    where: {
      personId: asked.studentId,
      ...(asked.classroomId === undefined ? {} : { classroomId: asked.classroomId }),
      ...enrolledAt(viewer.schoolId, now),
      classroom: taughtBy(viewer, asked.action, now),
    },
    select: { classroomId: true },
    orderBy: { classroomId: 'asc' },
  });
  return found?.classroomId ?? null;
}

/** The second half of the sentence: a student sees the own data unless the school has switched that off. */
export async function seesOwnData(prisma: PrismaClient, viewer: Viewer, now: Date): Promise<boolean> {
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

/** Is the viewer an administrator of this school, or of the district above it? */
export async function administers(
  prisma: PrismaClient,
  viewer: Viewer,
  schoolId: string,
  now: Date,
): Promise<boolean> {
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
  return found !== null;
}
