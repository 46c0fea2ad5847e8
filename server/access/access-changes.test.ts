import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestPeople, type TestPeople } from '#server/auth/testing.ts';
import type { AccessChange } from './access.ts';
import { changeRow, watchAccessChanges } from './access-changes.ts';
import { openAccess } from './open-access.ts';

let world: TestPeople;
let school: string;
let classroom: string;
let teacher: string;
beforeAll(async () => {
  world = await openTestPeople();
  school = await world.make.school();
  classroom = await world.make.classroom(school);
  teacher = await world.make.person(school);
  await world.make.teach(classroom, teacher);
}, 60_000);
afterAll(() => world.close());
beforeEach(() => {
  world.notices.cut = false;
});

async function removeOne(): Promise<string> {
  const student = await world.make.person(school);
  await world.make.enroll(classroom, student);
  const viewer = await world.make.viewer(teacher);
  await world.roster.removeEnrollment(await world.access.toClass(viewer, classroom, 'change'), student);
  return student;
}

describe('a change of rights', () => {
  it('is heard at once by its notice, and only once', async () => {
    const heard: AccessChange[] = [];
    const stop = world.access.onChange((change) => heard.push(change));
    const student = await removeOne();
    expect(heard).toEqual([{ kind: 'roster', classroomId: classroom, personId: student }]);
    await world.access.poll();
    expect(heard).toHaveLength(1);
    stop();
    await removeOne();
    expect(heard).toHaveLength(1);
  });

  it('is found in the table when every notice is lost', async () => {
    const heard: AccessChange[] = [];
    const other = openAccess(world.prisma, world.notices, world.clock, { pollMs: 3_600_000 });
    await other.poll();
    other.onChange((change) => heard.push(change));
    world.notices.cut = true;
    const student = await removeOne();
    expect(heard).toEqual([]);
    await other.poll();
    expect(heard).toEqual([{ kind: 'roster', classroomId: classroom, personId: student }]);
    other.close();
  });

  it('is found within five seconds by the poll alone', async () => {
    const heard: string[] = [];
    const other = openAccess(world.prisma, world.notices, world.clock);
    await other.poll();
    world.notices.cut = true;
    const found = new Promise<void>((done) => {
      other.onChange(({ personId }) => {
        heard.push(personId ?? '');
        done();
      });
    });
    const student = await removeOne();
    const before = performance.now();
    await found;
    expect(performance.now() - before).toBeLessThan(5000);
    expect(heard).toEqual([student]);
    other.close();
  }, 10_000);

  it('is found although a later number was committed first', async () => {
    const { prisma } = world;
    const changes = watchAccessChanges(prisma, world.notices, { pollMs: 3_600_000, onError: () => {} });
    await changes.poll();
    const heard: (string | undefined)[] = [];
    changes.onChange(({ personId }) => heard.push(personId));
    const [{ seq }] = (await prisma.$queryRaw`SELECT nextval('"AccessChange_seq_seq"') AS seq`) as [
      { seq: bigint },
    ];
    await prisma.accessChange.create({ data: changeRow(school, { kind: 'person', personId: 'later' }) });
    await changes.poll();
    await prisma.accessChange.create({
      data: { ...changeRow(school, { kind: 'person', personId: 'earlier' }), seq },
    });
    await changes.poll();
    expect(heard).toEqual(['later', 'earlier']);
    changes.close();
  });

  it('reaches the other listeners when one of them fails', async () => {
    const errors: unknown[] = [];
    const changes = watchAccessChanges(world.prisma, world.notices, {
      pollMs: 3_600_000,
      onError: (error) => errors.push(error),
    });
    await changes.poll();
    const heard: string[] = [];
    changes.onChange(() => {
      throw new Error('a listener fails');
    });
    changes.onChange(({ kind }) => heard.push(kind));
    await removeOne();
    expect(heard).toEqual(['roster']);
    expect(errors).toHaveLength(1);
    changes.close();
  });

  it('is not told again to a process that starts later', async () => {
    await removeOne();
    const heard: AccessChange[] = [];
    const changes = watchAccessChanges(world.prisma, world.notices, { pollMs: 3_600_000, onError: () => {} });
    changes.onChange((change) => heard.push(change));
    await changes.poll();
    await changes.poll();
    expect(heard).toEqual([]);
    changes.close();
  });
});
