import type { AccessChange } from '#server/access/access.ts';
import { activeAt, openAt } from '#server/access/in-force.ts';
import type { DeclinedCode } from '#server/errors.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import type { CollectionRules } from '#server/ingest/identity.ts';

const KEY = 'collection.enabled';
/** Students whose rules stay in memory; past it the longest unasked go, and are read again at their next connection. */
const MOST_KEPT = 50_000;

type Rule = { readonly verdict: DeclinedCode | null; readonly classroomIds: readonly string[] };

/**
 * Whether a student's events may be collected now, from memory: off unless the school has switched it on, and a class may
 * differ from its school unless the school has locked the value. A change is read again at once; until then the old answer holds.
 */
export function openCollectionRules(
  prisma: PrismaClient,
  clock: () => number,
  onError: (error: unknown) => void,
): CollectionRules & { changed(change: AccessChange): void } {
  const rules = new Map<string, Rule>();

  async function load(student: string): Promise<void> {
    const rule = await readRule(prisma, student, new Date(clock()));
    rules.delete(student);
    rules.set(student, rule);
    if (rules.size > MOST_KEPT) for (const oldest of rules.keys()) return void rules.delete(oldest);
  }

  function reload(student: string): void {
    load(student).catch((error) => {
      rules.delete(student); // better asked again than answered by what may no longer hold
      onError(error);
    });
  }

  return {
    async prepare(student) {
      if (!rules.has(student)) await load(student);
    },
    decide(student) {
      const rule = rules.get(student);
      return rule === undefined ? 'not-ready' : rule.verdict;
    },
    changed({ kind, personId, classroomId }) {
      if (kind === 'session-ended') return;
      for (const [student, { classroomIds }] of rules) {
        const isConcerned =
          personId === undefined && classroomId === undefined
            ? true
            : student === personId || (personId === undefined && classroomIds.includes(classroomId ?? ''));
        if (isConcerned) reload(student);
      }
    },
  };
}

async function readRule(prisma: PrismaClient, student: string, now: Date): Promise<Rule> {
  const person = await prisma.person.findUnique({
    where: { id: student },
    select: {
      schoolId: true,
      state: true,
      enrollments: {
        where: { ...openAt(now), classroom: activeAt(now) },
        select: { classroomId: true },
      },
    },
  });
  if (!person) return { verdict: 'collection-off', classroomIds: [] };
  const classroomIds = person.enrollments.map(({ classroomId }) => classroomId);
  if (person.state === 'erasing' || person.state === 'erased')
    return { verdict: 'student-erased', classroomIds };
  const isOn = await isCollected(prisma, person.schoolId, classroomIds);
  return { verdict: isOn && person.state === 'active' ? null : 'collection-off', classroomIds };
}

/** The nearest setting wins, class before school; with several classes one that collects is enough. */
async function isCollected(
  prisma: PrismaClient,
  schoolId: string,
  classroomIds: readonly string[],
): Promise<boolean> {
  const rows = await prisma.setting.findMany({
    where: {
      key: KEY,
      OR: [
        { scope: 'school', scopeId: schoolId },
        { scope: 'class', scopeId: { in: [...classroomIds] } },
      ],
    },
    select: { scope: true, scopeId: true, value: true, locked: true },
  });
  const school = rows.find(({ scope }) => scope === 'school');
  const ofSchool = school?.value === true;
  if (school?.locked || classroomIds.length === 0) return ofSchool;
  return classroomIds.some((id) => {
    const own = rows.find(({ scope, scopeId }) => scope === 'class' && scopeId === id);
    return own ? own.value === true : ofSchool;
  });
}
