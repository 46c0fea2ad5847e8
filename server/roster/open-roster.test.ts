import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Viewer } from '#server/access/viewer.ts';
import { openTestPeople, type TestPeople } from '#server/auth/testing.ts';
import { AppError } from '#server/errors.ts';
import { openRoster } from './open-roster.ts';

let world: TestPeople;
let school: string;
let english: string;
let teacher: Viewer;
let aide: Viewer;
let ada: string;
let bea: string;
beforeAll(async () => {
  world = await openTestPeople();
  const { make } = world;
  school = await make.school();
  english = await make.classroom(school, { name: 'English 8b', subject: 'English' });
  const teacherId = await make.person(school, { givenName: 'Marguerite', familyName: 'Okonjo' });
  const coTeacherId = await make.person(school, { givenName: 'Stellan', familyName: 'Brandvik' });
  await make.teach(english, coTeacherId, { as: 'co-teacher' });
  await make.teach(english, teacherId);
  const aideId = await make.person(school);
  const other = await make.classroom(school, { name: 'Archived', state: 'archived' });
  await make.teach(other, teacherId);
  const art = await make.classroom(school, { name: 'Art' });
  await make.teach(art, aideId, { as: 'aide' });
  await make.teach(art, teacherId, { as: 'co-teacher' });
  teacher = await make.viewer(teacherId);
  aide = await make.viewer(aideId);
  bea = await make.person(school, { givenName: 'Bea', familyName: 'Åberg', email: 'bea@school.test' });
  ada = await make.person(school, { givenName: 'Ada', familyName: 'Zhou' });
  await make.enroll(english, ada);
  await make.enroll(english, bea);
}, 60_000);
afterAll(() => world.close());

const auditActions = async () => {
  const actions: string[] = [];
  for await (const slice of world.archive.read(0))
    for (const { k, b } of slice) if (k === 'audit') actions.push(String(b?.action));
  return actions;
};

describe('the classes of a viewer', () => {
  it('are the active ones that she teaches, by name, with her duty, count and staff', async () => {
    const { roster } = world;
    expect(await roster.listClassrooms(teacher)).toEqual([
      expect.objectContaining({ name: 'Art', as: 'co-teacher', studentCount: 0 }),
      {
        id: english,
        name: 'English 8b',
        section: null,
        subject: 'English',
        as: 'teacher',
        studentCount: 2,
        teachers: ['Marguerite Okonjo', 'Stellan Brandvik'],
      },
    ]);
    expect((await roster.listClassrooms(aide)).map(({ as }) => as)).toEqual(['aide']);
  });

  it('are for a student those that she is in, and none to teach', async () => {
    const viewer = await world.make.viewer(ada);
    expect(await world.roster.listClassrooms(viewer)).toEqual([]);
    expect(await world.roster.listOwnClassrooms(viewer)).toEqual([
      { id: english, name: 'English 8b', teachers: ['Marguerite Okonjo', 'Stellan Brandvik'] },
    ]);
  });
});

describe('the roster of a class', () => {
  it('is sorted by family name', async () => {
    const permit = await world.access.toClass(teacher, english, 'read');
    const list = await world.roster.listStudents(permit);
    expect(list.map(({ name, email }) => [name, email])).toEqual([
      ['Bea Å.', 'bea@school.test'],
      ['Ada Z.', null],
    ]);
    const one = await world.access.toStudent(teacher, ada, 'read');
    expect(await world.roster.getStudent(one)).toEqual({ id: ada, name: 'Ada Z.', fullName: 'Ada Zhou' });
  });

  it('loses a student with an end date, keeps the history, and takes the student back', async () => {
    const { access, roster, prisma, time } = world;
    const change = () => access.toClass(teacher, english, 'change');
    await roster.removeEnrollment(await change(), ada);
    await expect(access.toStudent(teacher, ada, 'read')).rejects.toMatchObject({ code: 'not-found' });
    const [row] = await prisma.enrollment.findMany({ where: { personId: ada } });
    expect(row?.until?.getTime()).toBe(time.now);
    await expect(roster.removeEnrollment(await change(), ada)).rejects.toMatchObject({ code: 'not-found' });

    time.now += 1000;
    await roster.addEnrollment(await change(), ada);
    await roster.addEnrollment(await change(), ada);
    expect(await prisma.enrollment.count({ where: { personId: ada } })).toBe(2);
    expect((await access.toStudent(teacher, ada, 'read')).classroomId).toBe(english);
  });

  it('is not changed with a permit to read, nor by somebody of another school', async () => {
    const { access, roster, make } = world;
    const read = await access.toClass(teacher, english, 'read');
    await expect(roster.removeEnrollment(read, ada)).rejects.toMatchObject({ code: 'not-found' });
    await expect(roster.addEnrollment(read, ada)).rejects.toMatchObject({ code: 'not-found' });
    const stranger = await make.person(await make.school());
    const change = await access.toClass(teacher, english, 'change');
    await expect(roster.addEnrollment(change, stranger)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is not read with a permit that has run out', async () => {
    const { access, roster, time } = world;
    const permit = await access.toClass(teacher, english, 'change');
    const one = await access.toStudent(teacher, ada, 'read');
    time.now += 30_001;
    await expect(roster.listStudents(permit)).rejects.toMatchObject({ code: 'not-found' });
    await expect(roster.getStudent(one)).rejects.toMatchObject({ code: 'not-found' });
    await expect(roster.removeEnrollment(permit, ada)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a change of the roster', () => {
  it('is in the audit’s archive, in its index and among the changes, each once', async () => {
    const { access, roster, prisma } = world;
    const before = (await auditActions()).length;
    const lines = await prisma.auditLine.count();
    const changes = await prisma.accessChange.count();
    await roster.removeEnrollment(await access.toClass(teacher, english, 'change'), bea);
    expect((await auditActions()).slice(before)).toEqual(['enrollment removed']);
    expect(await prisma.auditLine.count()).toBe(lines + 1);
    expect(await prisma.accessChange.count()).toBe(changes + 1);
    expect(await prisma.auditLine.findFirst({ orderBy: { seq: 'desc' } })).toMatchObject({
      actorId: teacher.personId,
      sessionId: teacher.sessionId,
      classroomId: english,
      subjectId: bea,
    });
  });

  it('does not happen when the audit cannot be written', async () => {
    const { access, store, prisma } = world;
    const audit = { write: () => Promise.reject(new AppError('unavailable', 'no audit')) };
    const roster = openRoster({ ...store, audit }, access);
    const permit = await access.toClass(teacher, english, 'change');
    const before = await prisma.accessChange.count();
    await expect(roster.removeEnrollment(permit, ada)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await prisma.accessChange.count()).toBe(before);
    expect((await access.toStudent(teacher, ada, 'read')).id).toBe(ada);
  });

  it('that the database refuses says so in the audit, and tells nobody', async () => {
    const { access, store, prisma } = world;
    const heard: unknown[] = [];
    const stop = access.onChange((change) => heard.push(change));
    const { changeRights } = await import('./change-rights.ts');
    const twice = prisma.person.create({
      data: { id: ada, schoolId: school, givenName: 'x', familyName: 'x', sortName: 'x' },
    });
    const changes = await prisma.accessChange.count();
    await expect(
      changeRights(store, teacher, { action: 'person added' }, { kind: 'person', personId: ada }, [twice]),
    ).rejects.toThrow();
    expect((await auditActions()).slice(-2)).toEqual(['person added', 'person added failed']);
    expect(await prisma.accessChange.count()).toBe(changes);
    expect(heard).toEqual([]);
    stop();
  });
});
