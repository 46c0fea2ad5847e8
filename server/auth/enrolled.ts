import { activeAt, openAt } from '#server/access/in-force.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';

/** Whether a person is a student now: active, with an open enrolment in an active class of the own school. */
export async function isEnrolled(prisma: PrismaClient, personId: string, now: Date): Promise<boolean> {
  const found = await prisma.person.findFirst({
    where: {
      id: personId,
      state: 'active',
      enrollments: { some: { ...openAt(now), classroom: activeAt(now) } },
    },
    select: { id: true },
  });
  return found !== null;
}

/** Notes that a credential proved this person: from now on nobody may claim to be her. */
export async function endClaims(prisma: PrismaClient, personId: string, now: Date): Promise<void> {
  await prisma.person.updateMany({
    where: { id: personId, claimsEndedAt: null },
    data: { claimsEndedAt: now },
  });
}
