import type { Prisma } from '#server/generated/prisma/client.ts';
import type { Action, Viewer } from './viewer.ts';

/** A row of `Teaching`, `Enrollment` or `RoleHolding` that counts at this moment. */
export const openAt = (now: Date) => ({
  from: { lte: now },
  OR: [{ until: null }, { until: { gt: now } }],
});

/** A class that is not archived and whose dates are in force. */
export const activeAt = (now: Date) =>
  ({
    state: 'active',
    school: { state: 'active' },
    AND: [
      { OR: [{ from: null }, { from: { lte: now } }] },
      { OR: [{ until: null }, { until: { gt: now } }] },
    ],
  }) satisfies Prisma.ClassroomWhereInput;

/** A student whose data may be shown at all: not one who is being erased. */
export const SHOWN = { state: { in: ['active', 'suspended', 'left'] } } satisfies Prisma.PersonWhereInput;

/** The viewer is a person in force, in the school that the session says, and the session has not ended. */
export const living = (viewer: Viewer, now: Date) =>
  ({
    id: viewer.personId,
    schoolId: viewer.schoolId,
    state: 'active',
    sessions: { some: { id: viewer.sessionId, endedAt: null, expires: { gt: now } } },
  }) satisfies Prisma.PersonWhereInput;

/** An aide looks as a teacher does, and changes nothing. */
const MAY = {
  read: ['teacher', 'co-teacher', 'aide'],
  subscribe: ['teacher', 'co-teacher', 'aide'],
  change: ['teacher', 'co-teacher'],
};

/** The classes that the viewer teaches at this moment: the first half of the sentence. */
export const taughtBy = (viewer: Viewer, action: Action, now: Date) =>
  ({
    schoolId: viewer.schoolId,
    ...activeAt(now),
    teachings: { some: { as: { in: MAY[action] }, ...openAt(now), person: living(viewer, now) } },
  }) satisfies Prisma.ClassroomWhereInput;

/** Enrolments that count: open, in an active class of the student's own school. */
export const enrolledAt = (schoolId: string, now: Date) =>
  ({ ...openAt(now), person: { schoolId, ...SHOWN } }) satisfies Prisma.EnrollmentWhereInput;
