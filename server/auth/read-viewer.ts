import { activeAt, openAt } from '#server/access/in-force.ts';
import type { Viewer } from '#server/access/viewer.ts';
import type { Prisma, PrismaClient } from '#server/generated/prisma/client.ts';
import { fullName } from '#server/roster/display-names.ts';
import { hashOf } from './cookie.ts';

export const FOUND = {
  id: true,
  expires: true,
  idleUntil: true,
  lastSeenAt: true,
  address: true,
  user: {
    select: {
      id: true,
      schoolId: true,
      givenName: true,
      familyName: true,
      preferredName: true,
      email: true,
    },
  },
} satisfies Prisma.SessionSelect;
export type FoundSession = Prisma.SessionGetPayload<{ select: typeof FOUND }>;

/** A session that counts: not ended, expired or idle, of a person in force in a school that is open. */
export const inForce = (now: Date): Prisma.SessionWhereInput => ({
  endedAt: null,
  expires: { gt: now },
  idleUntil: { gt: now },
  user: { state: 'active', school: { state: 'active' } },
});

export const findSession = (prisma: PrismaClient, value: string, now: Date): Promise<FoundSession | null> =>
  prisma.session.findFirst({ where: { sessionToken: hashOf(value), ...inForce(now) }, select: FOUND });

const ROLES = ['school-admin', 'district-admin', 'researcher', 'operator'] as const;

/** The viewer of a session, with the roles held at this moment. */
export async function readViewer(
  prisma: PrismaClient,
  session: FoundSession,
  address: string,
  now: Date,
): Promise<Viewer> {
  const held = await prisma.roleHolding.findMany({
    where: { personId: session.user.id, ...openAt(now) },
    select: { role: true },
  });
  return {
    personId: session.user.id,
    schoolId: session.user.schoolId,
    name: fullName(session.user),
    sessionId: session.id,
    roles: ROLES.filter((role) => held.some((row) => row.role === role)),
    address: address || session.address || '',
  };
}

/** Who teaches an active class or holds a role. */
export async function isStaff(prisma: PrismaClient, personId: string, now: Date): Promise<boolean> {
  const [teaching, role] = await Promise.all([
    prisma.teaching.findFirst({
      where: { personId, ...openAt(now), classroom: activeAt(now) },
      select: { id: true },
    }),
    prisma.roleHolding.findFirst({ where: { personId, ...openAt(now) }, select: { id: true } }),
  ]);
  return teaching !== null || role !== null;
}
