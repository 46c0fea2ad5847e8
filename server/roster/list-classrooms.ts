import { activeAt, openAt, SHOWN, taughtBy } from '#server/access/in-force.ts';
import type { Viewer } from '#server/access/viewer.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import { fullName } from './display-names.ts';
import type { ClassroomSummary, Roster } from './roster.ts';

const NAMES = { id: true, givenName: true, familyName: true, preferredName: true } as const;
/** In the order in which a class names its staff. */
const RANK: readonly string[] = ['teacher', 'co-teacher', 'aide'] satisfies ClassroomSummary['as'][];

type TeachingRow = {
  readonly as: string;
  readonly person: {
    readonly id: string;
    readonly givenName: string;
    readonly familyName: string;
    readonly preferredName: string | null;
  };
};

const rankOf = ({ as }: TeachingRow): number => RANK.indexOf(as);
const inRank = (rows: readonly TeachingRow[]) => rows.toSorted((one, other) => rankOf(one) - rankOf(other));

/** What the class is to the viewer; the table's check admits the three words only. */
function dutyOf(rows: readonly TeachingRow[], personId: string): ClassroomSummary['as'] {
  const own = inRank(rows).find(({ person }) => person.id === personId);
  return (own?.as ?? 'aide') as ClassroomSummary['as'];
}

/** Active classes that the viewer teaches, by name. */
export async function listClassrooms(
  prisma: PrismaClient,
  viewer: Viewer,
  now: Date,
): Promise<readonly ClassroomSummary[]> {
  const rows = await prisma.classroom.findMany({
    where: taughtBy(viewer, 'read', now),
    select: {
      id: true,
      name: true,
      section: true,
      subject: true,
      teachings: { where: openAt(now), select: { as: true, person: { select: NAMES } } },
      _count: {
        select: {
          enrollments: { where: { ...openAt(now), person: { schoolId: viewer.schoolId, ...SHOWN } } },
        },
      },
    },
    orderBy: [{ name: 'asc' }, { section: 'asc' }, { id: 'asc' }],
  });
  return rows.map(({ teachings, _count, ...classroom }) => ({
    ...classroom,
    as: dutyOf(teachings, viewer.personId),
    studentCount: _count.enrollments,
    teachers: inRank(teachings).map(({ person }) => fullName(person)),
  }));
}

/** Active classes that the viewer is enrolled in, by name. */
export async function listOwnClassrooms(
  prisma: PrismaClient,
  viewer: Viewer,
  now: Date,
): ReturnType<Roster['listOwnClassrooms']> {
  const rows = await prisma.classroom.findMany({
    where: {
      schoolId: viewer.schoolId,
      ...activeAt(now),
      enrollments: { some: { personId: viewer.personId, ...openAt(now) } },
    },
    select: {
      id: true,
      name: true,
      teachings: { where: openAt(now), select: { as: true, person: { select: NAMES } } },
    },
    orderBy: [{ name: 'asc' }, { id: 'asc' }],
  });
  return rows.map(({ id, name, teachings }) => ({
    id,
    name,
    teachers: inRank(teachings).map(({ person }) => fullName(person)),
  }));
}
