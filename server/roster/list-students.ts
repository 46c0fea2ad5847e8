import { activeAt, openAt, SHOWN } from '#server/access/in-force.ts';
import type { Permit } from '#server/access/permit.ts';
import { sameSchool } from '#server/access/read-facts.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import { displayNames, fullName } from './display-names.ts';
import type { RosterStudent } from './roster.ts';

const PERSON = { id: true, givenName: true, familyName: true, preferredName: true, email: true } as const;

/** The class of the permit in roster order. */
export async function listStudents(
  prisma: PrismaClient,
  permit: Permit<'class'>,
  now: Date,
): Promise<readonly RosterStudent[]> {
  const all = await prisma.enrollment.findMany({
    where: { classroomId: permit.id, ...openAt(now), classroom: activeAt(now), person: SHOWN },
    select: {
      from: true,
      source: true,
      classroom: { select: { schoolId: true } },
      person: { select: { ...PERSON, schoolId: true } },
    },
    orderBy: [{ person: { sortName: 'asc' } }, { personId: 'asc' }],
  });
  const rows = all.filter(sameSchool);
  const names = displayNames(rows.map(({ person }) => person));
  return rows.map(({ from, source, person }) => ({
    id: person.id,
    name: names.get(person.id) ?? '',
    familyName: person.familyName,
    givenName: person.givenName,
    email: person.email,
    since: from.getTime(),
    source,
  }));
}

/** The student of the permit; null when erased meanwhile. */
export async function findStudent(prisma: PrismaClient, permit: Permit<'student'>) {
  const person = await prisma.person.findFirst({ where: { id: permit.id, ...SHOWN }, select: PERSON });
  return (
    person && {
      id: person.id,
      name: displayNames([person]).get(person.id) ?? '',
      fullName: fullName(person),
    }
  );
}
