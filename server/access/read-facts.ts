import type { Classroom, Student } from '#modules/kit/index.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import { displayNames } from '#server/roster/display-names.ts';
import { activeAt, openAt, SHOWN } from './in-force.ts';
import type { Permit } from './permit.ts';

const NAMES = { id: true, givenName: true, familyName: true, preferredName: true } as const;

/** Students of the class of a permit in roster order; for a student's permit that student alone, named as in the class. */
export async function readStudents(
  prisma: PrismaClient,
  permit: Permit<'class'> | Permit<'student'>,
  now: Date,
): Promise<readonly Student[]> {
  if (permit.subject === 'student' && permit.classroomId === null) {
    const own = await prisma.person.findMany({ where: { id: permit.id, ...SHOWN }, select: NAMES });
    return named(own);
  }
  const rows = await prisma.enrollment.findMany({
    where: {
      classroomId: permit.classroomId ?? permit.id,
      ...openAt(now),
      classroom: activeAt(now),
      person: SHOWN,
    },
    select: {
      classroom: { select: { schoolId: true } },
      person: { select: { ...NAMES, schoolId: true } },
    },
    orderBy: [{ person: { sortName: 'asc' } }, { personId: 'asc' }],
  });
  // A row that ties a student to another school's class opens nothing; a `where` cannot compare the two.
  const students = named(rows.filter(sameSchool).map(({ person }) => person));
  return permit.subject === 'class' ? students : students.filter(({ id }) => id === permit.id);
}

type Tie = {
  readonly classroom: { readonly schoolId: string };
  readonly person: { readonly schoolId: string };
};

export const sameSchool = ({ classroom, person }: Tie): boolean => classroom.schoolId === person.schoolId;

function named(people: readonly Parameters<typeof displayNames>[0][number][]): readonly Student[] {
  const names = displayNames(people);
  return people.map(({ id }) => ({ id, name: names.get(id) ?? '' }));
}

/** The class of a permit; for one's own data the first class by name in which one is enrolled, active ones first. */
export async function readClassroom(
  prisma: PrismaClient,
  permit: Permit<'class'> | Permit<'student'>,
  now: Date,
): Promise<Classroom | null> {
  const found = await prisma.classroom.findFirst({
    where: {
      ...(permit.classroomId === null
        ? { enrollments: { some: { personId: permit.id, ...openAt(now) } } }
        : { id: permit.classroomId, ...activeAt(now) }),
    },
    select: { id: true, name: true, school: { select: { timezone: true } } },
    orderBy: [{ state: 'asc' }, { name: 'asc' }, { id: 'asc' }],
  });
  return found && { id: found.id, name: found.name, timezone: found.school.timezone, lessonAt: null };
}
