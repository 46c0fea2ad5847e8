import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPeople, type TestPeople } from '#server/auth/testing.ts';
import { makePermit } from './permit.ts';
import type { Viewer } from './viewer.ts';

const DAY = 86_400_000;
let world: TestPeople;
let school: string;
let english: string;
let student: string;
const viewers: Record<string, Viewer> = {};

beforeAll(async () => {
  world = await openTestPeople();
  const { make, time, prisma } = world;
  const past = new Date(time.now - 1000);
  school = await make.school();
  const district = await make.school({ kind: 'district' });
  await prisma.school.update({ where: { id: school }, data: { parentId: district } });
  const foreign = await make.school();
  english = await make.classroom(school, { name: 'English' });
  const history = await make.classroom(school, { name: 'History' });
  const elsewhere = await make.classroom(foreign);
  const person = async (key: string, at = school) => {
    const id = await make.person(at, { givenName: key, familyName: 'X' });
    viewers[key] = await make.viewer(id);
    return id;
  };
  student = await person('student');
  await make.enroll(english, student);
  await make.enroll(english, await person('classmate'));
  await make.enroll(history, await person('student of another class'));
  await make.teach(english, await person('teacher'));
  await make.teach(english, await person('co-teacher'), { as: 'co-teacher' });
  await make.teach(english, await person('aide'), { as: 'aide' });
  await make.teach(history, await person('teacher of the same school'));
  await make.teach(elsewhere, await person('teacher of another school', foreign));
  await make.teach(english, await person('former teacher'), { until: past });
  await make.teach(english, await person('future teacher'), { from: new Date(time.now + DAY) });
  for (const role of ['school-admin', 'researcher', 'operator'])
    await make.role(await person(role), school, role);
  await make.role(await person('former admin'), school, 'school-admin', past);
  await make.role(await person('district admin', district), district, 'district-admin');
  const suspended = await person('suspended teacher');
  await make.teach(english, suspended);
  await prisma.person.update({ where: { id: suspended }, data: { state: 'suspended' } });
  const signedOut = await person('teacher without a session');
  await make.teach(english, signedOut);
  await prisma.session.deleteMany({ where: { userId: signedOut } });
  const expired = await person('teacher whose session expired');
  await make.teach(english, expired);
  await prisma.session.updateMany({ where: { userId: expired }, data: { expires: past } });
  const ended = await person('teacher whose session was ended');
  await make.teach(english, ended);
  await prisma.session.updateMany({ where: { userId: ended }, data: { endedAt: past } });
  const liar = await person('teacher who names another school', foreign);
  await make.teach(english, liar);
  viewers['teacher who names another school'] = {
    ...(viewers['teacher who names another school'] as Viewer),
    schoolId: school,
  };
}, 60_000);
afterAll(() => world.close());

const viewer = (key: string): Viewer => {
  const found = viewers[key];
  if (!found) throw new Error(`no viewer ${key}`);
  return found;
};
const yes = async (question: Promise<unknown>) =>
  question.then(
    () => true,
    (error) => {
      expect(error).toMatchObject({ code: 'not-found', message: 'there is nothing here for you' });
      return false;
    },
  );

const STAFF = new Set(['teacher', 'co-teacher', 'aide']);

describe('who sees a class and its students', () => {
  it('is decided alike for every viewer and action', async () => {
    const wrong: string[] = [];
    for (const key of Object.keys(viewers)) {
      for (const action of ['read', 'subscribe', 'change'] as const) {
        const teaches = STAFF.has(key) && !(key === 'aide' && action === 'change');
        const own = key === 'student' && action !== 'change';
        const { access } = world;
        if ((await yes(access.toClass(viewer(key), english, action))) !== teaches)
          wrong.push(`${key} ${action} class`);
        if ((await yes(access.toStudent(viewer(key), student, action, english))) !== (teaches || own))
          wrong.push(`${key} ${action} student through the class`);
        if ((await yes(access.toStudent(viewer(key), student, action))) !== (teaches || own))
          wrong.push(`${key} ${action} student`);
      }
    }
    expect(Object.keys(viewers).length).toBeGreaterThan(18);
    expect(wrong).toEqual([]);
  });

  it('answers for what does not exist as for what is denied', async () => {
    const { access } = world;
    const teacher = viewer('teacher');
    const other = viewer('student of another class').personId;
    const errors = await Promise.all(
      [
        access.toClass(teacher, 'nothing', 'read'),
        access.toClass(viewer('teacher of the same school'), english, 'read'),
        access.toStudent(teacher, 'nobody', 'read'),
        access.toStudent(teacher, other, 'read'),
        access.toStudent(teacher, other, 'read', english),
      ].map((question) => question.catch((error) => ({ code: error.code, message: error.message }))),
    );
    expect(new Set(errors.map((error) => JSON.stringify(error))).size).toBe(1);
  });

  it('takes as long for what is missing as for what is denied', async () => {
    const { access, make } = world;
    const teacher = await make.viewer(viewer('teacher').personId);
    const rounds = 40;
    const time = async (studentId: string) => {
      const before = performance.now();
      await yes(access.toStudent(teacher, studentId, 'read'));
      return performance.now() - before;
    };
    // In turns, so that a busy moment of the machine counts for both.
    const times = { denied: [] as number[], missing: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.denied.push(await time(viewer('student of another class').personId));
      times.missing.push(await time('nobody'));
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[rounds / 2] ?? 0;
    const denied = median(times.denied);
    const missing = median(times.missing);
    console.log(`figure access-question ${denied.toFixed(2)} ms`);
    expect(Math.abs(denied - missing)).toBeLessThan(20);
  });

  it('ends with the class: archived, over, not begun, school closed', async () => {
    const { access, prisma, time } = world;
    const cases = [
      [{ state: 'archived' }, { state: 'active' }],
      [{ until: new Date(time.now - 1) }, { until: null }],
      [{ from: new Date(time.now + DAY) }, { from: null }],
    ] as const;
    for (const [change, back] of cases) {
      await prisma.classroom.update({ where: { id: english }, data: change });
      expect(await yes(access.toClass(viewer('teacher'), english, 'read'))).toBe(false);
      expect(await yes(access.toStudent(viewer('teacher'), student, 'read'))).toBe(false);
      expect(await yes(access.toStudent(viewer('student'), student, 'read'))).toBe(true);
      await prisma.classroom.update({ where: { id: english }, data: back });
      expect(await yes(access.toClass(viewer('teacher'), english, 'read'))).toBe(true);
    }
    await prisma.school.update({ where: { id: school }, data: { state: 'closed' } });
    expect(await yes(access.toClass(viewer('teacher'), english, 'read'))).toBe(false);
    await prisma.school.update({ where: { id: school }, data: { state: 'active' } });
  });

  it('hides a student who is being erased, from the teacher and from the class', async () => {
    const { access, prisma } = world;
    const permit = await access.toClass(viewer('teacher'), english, 'read');
    expect((await access.studentsOf(permit)).map(({ id }) => id)).toContain(student);
    await prisma.person.update({ where: { id: student }, data: { state: 'erasing' } });
    expect(await yes(access.toStudent(viewer('teacher'), student, 'read'))).toBe(false);
    expect((await access.studentsOf(permit)).map(({ id }) => id)).not.toContain(student);
    await prisma.person.update({ where: { id: student }, data: { state: 'active' } });
  });

  it('shows a student the own data only while the school does', async () => {
    const { access, prisma } = world;
    const key = { scope: 'school', scopeId: school, key: 'student.ownPage' };
    await prisma.setting.create({ data: { ...key, schoolId: school, value: false } });
    expect(await yes(access.toStudent(viewer('student'), student, 'read'))).toBe(false);
    expect(await yes(access.toStudent(viewer('teacher'), student, 'read'))).toBe(true);
    await prisma.setting.delete({ where: { scope_scopeId_key: key } });
  });
});

describe('a permit', () => {
  it('is good for thirty seconds', async () => {
    const { access, time } = world;
    const permit = await access.toClass(viewer('teacher'), english, 'read');
    time.now += 29_999;
    access.check(permit);
    time.now += 1;
    expect(() => access.check(permit)).toThrow('nothing here');
    await expect(access.studentsOf(permit)).rejects.toMatchObject({ code: 'not-found' });
    await expect(access.classroomOf(permit)).rejects.toMatchObject({ code: 'not-found' });
    time.now -= 30_000;
  });

  it('cannot be put together from its fields', async () => {
    const { access } = world;
    const permit = await access.toClass(viewer('teacher'), english, 'read');
    const forged = JSON.parse(JSON.stringify(permit));
    expect(() => access.check(forged)).toThrow('nothing here');
    expect(() => access.check(makePermit({ ...permit }))).not.toThrow();
  });

  it('for a class gives its students in roster order, for a student that one alone', async () => {
    const { access } = world;
    const permit = await access.toClass(viewer('teacher'), english, 'subscribe');
    expect((await access.studentsOf(permit)).map(({ name }) => name)).toEqual(['classmate X.', 'student X.']);
    const one = await access.toStudent(viewer('teacher'), student, 'subscribe', english);
    expect(await access.studentsOf(one)).toEqual([{ id: student, name: 'student X.' }]);
    expect(await access.classroomOf(one)).toEqual({
      id: english,
      name: 'English',
      timezone: 'Europe/Oslo',
      lessonAt: null,
    });
    const own = await access.toStudent(viewer('student'), student, 'read');
    expect(own.classroomId).toBeNull();
    expect(await access.studentsOf(own)).toEqual([{ id: student, name: 'student X.' }]);
    expect((await access.classroomOf(own)).id).toBe(english);
  });
});

describe('a class', () => {
  it('has nobody of another school, whatever row ties her to it', async () => {
    const { access, make } = world;
    const stranger = await make.person(await make.school());
    await make.enroll(english, stranger);
    const permit = await access.toClass(viewer('teacher'), english, 'read');
    const ids = (await access.studentsOf(permit)).map(({ id }) => id);
    expect(ids).toContain(student);
    expect(ids).not.toContain(stranger);
    expect(await yes(access.toStudent(viewer('teacher'), stranger, 'read', english))).toBe(false);
  });
});

describe('who administers a school', () => {
  it('is its admin and its district’s, nobody else', async () => {
    const allowed = [];
    for (const key of Object.keys(viewers))
      if (await yes(world.access.toSchool(viewer(key), school, 'admin'))) allowed.push(key);
    expect(allowed).toEqual(['school-admin', 'district admin']);
  });
});
