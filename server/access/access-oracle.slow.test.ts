import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestPeople, type TestPeople } from '#server/auth/testing.ts';
import type { Action, Viewer } from './viewer.ts';

/**
 * Random rosters against the sentence of access.md §1, written down once more from the rows alone.
 * `SEED=n` repeats a run.
 */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROSTERS = 20;
const QUESTIONS = 100;
const DAY = 86_400_000;

let world: TestPeople;
beforeAll(async () => {
  world = await openTestPeople();
}, 60_000);
afterAll(() => world.close());

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Row = { classroomId: string; personId: string; from: number; until: number | null; as?: string };
type Facts = {
  people: Map<string, { schoolId: string; state: string }>;
  classes: Map<string, { schoolId: string; state: string; from: number | null; until: number | null }>;
  teachings: Row[];
  enrollments: Row[];
  now: number;
};

/** What the sentence allows. */
function allowed(facts: Facts, viewerId: string, studentId: string, action: Action): boolean {
  const { people, classes, teachings, enrollments, now } = facts;
  const viewer = people.get(viewerId);
  const student = people.get(studentId);
  if (viewer?.state !== 'active' || !student) return false;
  const isOpen = (row: { from: number | null; until: number | null }) =>
    (row.from ?? 0) <= now && (row.until === null || row.until > now);
  const mine = enrollments.filter(
    (row) =>
      row.personId === studentId &&
      isOpen(row) &&
      classes.get(row.classroomId)?.schoolId === student.schoolId,
  );
  if (viewerId === studentId && action !== 'change') return mine.length > 0;
  if (student.state.startsWith('eras') || student.schoolId !== viewer.schoolId) return false;
  return mine.some(({ classroomId }) => {
    const classroom = classes.get(classroomId);
    if (classroom?.state !== 'active' || !isOpen(classroom) || classroom.schoolId !== viewer.schoolId)
      return false;
    const duties = teachings.filter(
      (row) => row.classroomId === classroomId && row.personId === viewerId && isOpen(row),
    );
    return duties.some(({ as }) => action !== 'change' || as !== 'aide');
  });
}

async function makeRoster(random: () => number): Promise<{ facts: Facts; viewers: Viewer[] }> {
  const { make, prisma, time } = world;
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const near = () => time.now + Math.round((random() - 0.88) * 6 * DAY);
  const end = () => (random() < 0.75 ? null : near() + 2 * DAY);
  const facts: Facts = {
    people: new Map(),
    classes: new Map(),
    teachings: [],
    enrollments: [],
    now: time.now,
  };
  const schools = [await make.school(), await make.school()];
  const viewers: Viewer[] = [];
  for (let index = 0; index < 10; index++) {
    const schoolId = (random() < 0.92 ? schools[0] : schools[1]) as string;
    const state = random() < 0.85 ? 'active' : pick(['suspended', 'left', 'erasing', 'erased']);
    const id = await make.person(schoolId, { state });
    facts.people.set(id, { schoolId, state });
    viewers.push(await make.viewer(id));
  }
  for (let index = 0; index < 4; index++) {
    const schoolId = (random() < 0.92 ? schools[0] : schools[1]) as string;
    const state = random() < 0.9 ? 'active' : 'archived';
    const from = random() < 0.8 ? null : near();
    const until = random() < 0.8 ? null : Math.max(near(), (from ?? 0) + 1) + DAY;
    const dates = {
      from: from === null ? null : new Date(from),
      until: until === null ? null : new Date(until),
    };
    const id = await make.classroom(schoolId, { state, ...dates });
    facts.classes.set(id, { schoolId, state, from, until });
  }
  const rows = async (list: Row[], table: 'teach' | 'enroll', share: number) => {
    for (const classroomId of facts.classes.keys())
      for (const personId of facts.people.keys()) {
        if (random() > share) continue;
        const from = near();
        const ends = end();
        const until = ends === null ? null : Math.max(ends, from);
        const as = pick(['teacher', 'co-teacher', 'aide']);
        list.push({ classroomId, personId, from, until, as });
        const dates = { from: new Date(from), until: until === null ? null : new Date(until) };
        if (table === 'teach') await make.teach(classroomId, personId, { ...dates, as });
        else await make.enroll(classroomId, personId, dates);
      }
  };
  await rows(facts.teachings, 'teach', 0.65);
  await rows(facts.enrollments, 'enroll', 0.85);
  expect(await prisma.person.count()).toBeGreaterThan(0);
  return { facts, viewers };
}

it(`says what the sentence says, for ${ROSTERS * QUESTIONS} questions on random rosters`, async () => {
  console.log(`SEED=${SEED}`);
  const random = randomFrom(SEED);
  let granted = 0;
  let sharedClasses = 0;
  for (let roster = 0; roster < ROSTERS; roster++) {
    const { facts, viewers } = await makeRoster(random);
    const students = [...facts.people.keys()];
    const classrooms = [...facts.classes.keys()];
    for (let index = 0; index < QUESTIONS; index++) {
      const viewer = viewers[Math.floor(random() * viewers.length)] as Viewer;
      const student = students[Math.floor(random() * students.length)] as string;
      const action = (['read', 'subscribe', 'change'] as const)[Math.floor(random() * 3)] as Action;
      const expected = allowed(facts, viewer.personId, student, action);
      const through = viewer.personId === student ? undefined : classrooms[index % classrooms.length];
      const permit = await world.access.toStudent(viewer, student, action).catch(() => null);
      expect(permit !== null, `SEED=${SEED} roster ${roster} question ${index}`).toBe(expected);
      if (permit) granted += 1;
      if (!through) continue;
      // The same through one class: only that class's rows may count, and the class then draws the student.
      const narrowed = { ...facts, classes: new Map([...facts.classes].filter(([id]) => id === through)) };
      const one = await world.access.toStudent(viewer, student, action, through).catch(() => null);
      expect(one !== null).toBe(allowed(narrowed, viewer.personId, student, action));
      if (!one) continue;
      sharedClasses += 1;
      const permitOfClass = await world.access.toClass(viewer, through, action);
      const drawn = (await world.access.studentsOf(permitOfClass)).map(({ id }) => id);
      expect(drawn).toContain(student);
      for (const id of drawn)
        expect(allowed(narrowed, viewer.personId, id, action) || id === viewer.personId).toBe(true);
    }
  }
  console.log(`figure access-oracle-granted ${granted} of ${ROSTERS * QUESTIONS}`);
  expect(granted).toBeGreaterThan(ROSTERS * QUESTIONS * 0.3);
  expect(sharedClasses).toBeGreaterThan(50);
}, 120_000);
