import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDemoPerson } from '../../prisma/demo-people.ts';
import { seedDemoSchool } from '../../prisma/demo-school.ts';
import { openCollectionRules } from './collection-rules.ts';
import { openTestPeople, type TestPeople } from './testing.ts';

let world: TestPeople;
let rules: ReturnType<typeof openCollectionRules>;
beforeAll(async () => {
  world = await openTestPeople();
  await seedDemoSchool(world.prisma);
  world.time.now = Date.now() + 1000;
  rules = openCollectionRules(world.prisma, world.clock, (error) => {
    throw error;
  });
}, 60_000);
afterAll(() => world.close());

describe('whether events may be collected', () => {
  it('is on in the demo school, off elsewhere, and unknown before it was asked', async () => {
    const { make } = world;

    const student = findDemoPerson('student06@demo.test')?.id ?? '';
    expect(rules.decide(student, 0)).toBe('not-ready');
    await rules.prepare(student);
    expect(rules.decide(student, 0)).toBeNull();
    const school = await make.school();
    const other = await make.person(school);
    await make.enroll(await make.classroom(school), other);
    await rules.prepare(other);
    expect(rules.decide(other, 0)).toBe('collection-off');
    await rules.prepare('nobody');
    expect(rules.decide('nobody', 0)).toBe('collection-off');
  });

  it('follows the class before the school, unless the school has locked it', async () => {
    const { make, prisma } = world;

    const schoolId = await make.school();
    const student = await make.person(schoolId);
    const classroom = await make.classroom(schoolId);
    await make.enroll(classroom, student);
    await rules.prepare(student);
    const set = async (scope: string, scopeId: string, value: boolean, locked = false) => {
      const key = { scope, scopeId, key: 'collection.enabled' };
      const data = { ...key, schoolId, value, locked };
      await prisma.setting.upsert({ where: { scope_scopeId_key: key }, create: data, update: data });
      rules.changed({ kind: 'setting' });
      return expect.poll(() => rules.decide(student, 0));
    };
    await (await set('school', schoolId, true)).toBeNull();
    await (await set('class', classroom, false)).toBe('collection-off');
    await (await set('school', schoolId, true, true)).toBeNull();
    await (await set('school', schoolId, false, true)).toBe('collection-off');
    await (await set('class', classroom, true)).toBe('collection-off');
    await (await set('school', schoolId, false)).toBeNull();
    await prisma.person.update({ where: { id: student }, data: { state: 'erasing' } });
    await (await set('school', schoolId, true)).toBe('student-erased');
  });
});
