import type { PrismaClient } from '../server/generated/prisma/client.ts';
import { sortNameOf } from '../server/roster/display-names.ts';
import {
  DEMO_CLASSES,
  DEMO_PEOPLE,
  DEMO_SCHOOL_ID,
  demoId,
  ENGLISH_STUDENTS,
  findDemoPerson,
} from './demo-people.ts';

const schoolId = DEMO_SCHOOL_ID;
const source = 'hand';
const idOf = (email: string): string => findDemoPerson(email)?.id ?? demoId(`person ${email}`);
const students = DEMO_PEOPLE.filter(({ as }) => as === 'student');

/** A class's time of school, so that every window and every date of the demo is the visitor's own. */
const timezone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/**
 * Invented people in three classes, for demo mode only. Does nothing twice: what is there stays as it is, so that a
 * student who was taken out of a class is still out of it after the next start.
 */
export async function seedDemoSchool(prisma: PrismaClient): Promise<void> {
  if (await isSeeded(prisma)) return; // a start costs one query instead of eight statements
  const once = { skipDuplicates: true };
  await prisma.$transaction([
    prisma.school.upsert({
      where: { id: schoolId },
      create: { id: schoolId, name: 'Demo school', timezone: timezone(), locale: 'en' },
      update: { timezone: timezone() },
    }),
    prisma.person.createMany({ data: people(), ...once }),
    prisma.classroom.createMany({ data: classrooms(), ...once }),
    prisma.teaching.createMany({ data: teachings(), ...once }),
    prisma.enrollment.createMany({ data: enrollments(), ...once }),
    prisma.roleHolding.createMany({ data: roles(), ...once }),
    prisma.setting.createMany({
      data: [{ scope: 'school', scopeId: schoolId, schoolId, key: 'collection.enabled', value: true }],
      ...once,
    }),
    prisma.domainPolicy.createMany({ data: [{ schoolId, domain: 'local', claims: 'create' }], ...once }),
  ]);
}

async function isSeeded(prisma: PrismaClient): Promise<boolean> {
  const school = await prisma.school.findUnique({
    where: { id: schoolId },
    select: {
      timezone: true,
      _count: { select: { people: { where: { id: { in: DEMO_PEOPLE.map(({ id }) => id) } } } } },
    },
  });
  return school?.timezone === timezone() && school._count.people === DEMO_PEOPLE.length;
}

const people = () =>
  DEMO_PEOPLE.map(({ as: _, ...person }) => ({
    ...person,
    schoolId,
    sortName: sortNameOf(person.givenName, person.familyName),
  }));

const classrooms = () => [
  { id: DEMO_CLASSES.english, schoolId, name: 'English 8b', subject: 'English', grade: '8', source },
  { id: DEMO_CLASSES.history, schoolId, name: 'History 7a', subject: 'History', grade: '7', source },
  { id: DEMO_CLASSES.visitors, schoolId, name: 'Visitors', source },
];

const TEACHINGS = [
  ['english', 'teacher@demo.test', 'teacher'],
  ['english', 'coteacher@demo.test', 'co-teacher'],
  ['history', 'other-teacher@demo.test', 'teacher'],
  ['visitors', 'teacher@demo.test', 'teacher'],
] as const;

const teachings = () =>
  TEACHINGS.map(([classroom, email, as]) => ({
    id: demoId(`teaching ${classroom} ${email}`),
    classroomId: DEMO_CLASSES[classroom],
    personId: idOf(email),
    schoolId,
    as,
    source,
  }));

const enrollments = () =>
  students.map(({ id, email }, index) => ({
    id: demoId(`enrollment ${email}`),
    classroomId: index < ENGLISH_STUDENTS ? DEMO_CLASSES.english : DEMO_CLASSES.history,
    personId: id,
    schoolId,
    source,
  }));

const roles = () => [
  {
    id: demoId('role admin'),
    personId: idOf('admin@demo.test'),
    schoolId,
    role: 'school-admin',
    reason: 'demo school',
  },
];
