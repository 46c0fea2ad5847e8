import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPeople, type TestPeople } from '#server/auth/testing.ts';
import { type Denial, watchDenials } from './denials.ts';
import { openAccess } from './open-access.ts';
import type { Viewer } from './viewer.ts';

let world: TestPeople;
let viewer: Viewer;
let student: string;
beforeAll(async () => {
  world = await openTestPeople();
  const school = await world.make.school();
  viewer = await world.make.viewer(await world.make.person(school));
  student = await world.make.person(school);
  await world.make.enroll(await world.make.classroom(school), student);
}, 60_000);
afterAll(() => world.close());

async function lines(): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const slice of world.archive.read(0))
    for (const { k, b } of slice) if (k === 'audit') found.push(b);
  return found;
}

describe('a look that is denied', () => {
  it('is told after the answer, once, with what was asked', async () => {
    const heard: Denial[] = [];
    const access = openAccess(world.prisma, world.notices, world.clock, {
      pollMs: 3_600_000,
      onDenied: async (_viewer, denial) => void heard.push(denial),
    });
    await access.toStudent(viewer, student, 'read', 'some-class').catch(() => null);
    await access.toClass(viewer, 'some-class', 'subscribe').catch(() => null);
    expect(heard).toEqual([
      { subject: 'student', id: student, action: 'read', classroomId: 'some-class' },
      { subject: 'class', id: 'some-class', action: 'subscribe' },
    ]);
    access.close();
  });

  it('is an audit line when the student exists, and none when nobody is there', async () => {
    const denied = watchDenials(world.prisma, world.store.audit, world.clock, () => {});
    const before = (await lines()).length;
    await denied(viewer, { subject: 'student', id: 'nobody', action: 'read' });
    expect(await lines()).toHaveLength(before);
    await denied(viewer, { subject: 'student', id: student, action: 'read' });
    expect((await lines()).slice(before)).toMatchObject([
      { actor: viewer.personId, action: 'look denied', subjectKind: 'student', subjectId: student },
    ]);
  });

  it('raises the alarm at the twentieth within ten minutes, by one viewer', async () => {
    const alarms: number[] = [];
    const denied = watchDenials(world.prisma, world.store.audit, world.clock, (_viewer, count) =>
      alarms.push(count),
    );
    const look = (who: Viewer) => denied(who, { subject: 'student', id: student, action: 'read' });
    for (let index = 0; index < 19; index++) await look(viewer);
    await look({ ...viewer, personId: 'another' });
    expect(alarms).toEqual([]);
    world.time.now += 10 * 60_000;
    await look(viewer);
    expect(alarms).toEqual([]);
    for (let index = 0; index < 19; index++) await look(viewer);
    expect(alarms).toEqual([20]);
  });
});
