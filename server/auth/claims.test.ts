import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Claim } from '#server/ingest/identity.ts';
import { newId } from '#server/new-id.ts';
import { DEMO_CLASSES, DEMO_SCHOOL_ID } from '../../prisma/demo-people.ts';
import { seedDemoSchool } from '../../prisma/demo-school.ts';
import { isWithin, openClaims } from './claims.ts';
import { openTestPeople, type TestPeople } from './testing.ts';

let world: TestPeople;
let demo: ReturnType<typeof openClaims>;
let production: ReturnType<typeof openClaims>;
let school: string;
let ada: string;
const VISITORS = { visitorsClassroomId: DEMO_CLASSES.visitors };
const tag = (value: string): Claim => ({
  method: 'local_storage',
  domain: 'local',
  value,
  address: '127.0.0.1',
});
const google = (digits: string, email = 'ada@school.test', address = '10.1.2.3'): Claim => ({
  method: 'chromebook',
  domain: email.split('@')[1] ?? '',
  value: `google:${digits}`,
  email,
  address,
});

beforeAll(async () => {
  world = await openTestPeople();
  const { make, prisma, time, store } = world;
  await seedDemoSchool(prisma);
  time.now = Date.now() + 1000;
  school = await make.school();
  ada = await make.person(school, { email: 'Ada@school.test', emailVerified: new Date() });
  await prisma.externalId.create({
    data: {
      id: newId(),
      personId: ada,
      schoolId: school,
      kind: 'google',
      issuer: 'https://accounts.google.com',
      value: '111',
      source: 'google',
    },
  });
  demo = openClaims(store, { isDemo: true, ...VISITORS });
  production = openClaims(store, { isDemo: false, ...VISITORS });
}, 60_000);
afterAll(() => world.close());

const policy = (data: { claims?: string; claimNetworks?: string[]; claimsUntil?: Date | null }) =>
  world.prisma.domainPolicy.upsert({
    where: { schoolId_domain: { schoolId: school, domain: 'school.test' } },
    create: { schoolId: school, domain: 'school.test', ...data },
    update: data,
  });

describe('a claim in the demo school', () => {
  it('makes a visitor without an address, whom the teacher sees in the class Visitors', async () => {
    const found = await demo(tag('zoë-1 <b>'));
    expect(found).toMatchObject({ kind: 'claimed', school: DEMO_SCHOOL_ID, expiresAt: null });
    const rows = await world.prisma.enrollment.findMany({
      where: { classroomId: DEMO_CLASSES.visitors },
      select: { person: { select: { givenName: true, familyName: true, email: true, claimed: true } } },
    });
    expect(rows.map(({ person }) => person)).toEqual([
      { givenName: 'Visitor zoë1b', familyName: '', email: null, claimed: true },
    ]);
  });

  it('finds the same person again, and one person for two sockets at once', async () => {
    const [one, other] = await Promise.all([demo(tag('twins')), demo(tag('twins'))]);
    expect(one).toEqual(other);
    expect(await demo(tag('twins'))).toEqual(one);
    expect(await demo(tag('Twins'))).not.toEqual(one);
    expect(await world.prisma.externalId.count({ where: { value: 'ls-twins' } })).toBe(1);
  });

  it('tells a tag from a hash of the same text', async () => {
    const byTag = await demo(tag('abc'));
    const byHash = await demo({ ...tag('abc'), method: 'hash_identify' });
    expect(byTag).not.toEqual(byHash);
  });

  it('is told to whoever looks at the class', async () => {
    const heard: unknown[] = [];
    const stop = world.access.onChange((change) => heard.push(change));
    const found = await demo(tag('heard'));
    if (typeof found === 'string') throw new Error(found);
    expect(heard).toEqual([{ kind: 'roster', classroomId: DEMO_CLASSES.visitors, personId: found.student }]);
    stop();
  });

  it('of nothing, or of too much, is nobody’s', async () => {
    expect(await demo(tag(''))).toBe('claim-unknown');
    expect(await demo(tag('x'.repeat(201)))).toBe('claim-unknown');
  });

  it('ends with the first credential that proves the person', async () => {
    const found = await demo(tag('proved'));
    if (typeof found === 'string') throw new Error(found);
    await world.prisma.person.update({ where: { id: found.student }, data: { claimsEndedAt: new Date() } });
    expect(await demo(tag('proved'))).toBe('claims-off');
  });
});

describe('a claim of a mail domain', () => {
  const inForce = () => ({
    claimNetworks: ['10.0.0.0/8'],
    claimsUntil: new Date(world.time.now + 86_400_000),
  });

  it('is off unless the school has switched it on', async () => {
    expect(await production(google('111'))).toBe('claims-off');
    await policy({ claims: 'off', ...inForce() });
    expect(await production(google('111'))).toBe('claims-off');
    expect(await production(tag('ada'))).toBe('claims-off');
  });

  it('finds a person by Google’s id, else by the one verified address', async () => {
    await policy({ claims: 'match', ...inForce() });
    expect(await production(google('111'))).toMatchObject({ student: ada, kind: 'claimed' });
    expect(await production(google('999'))).toMatchObject({ student: ada });
    expect(await production(google('999', 'eve@school.test'))).toBe('claim-unknown');
    await world.make.person(school, { email: 'ada@SCHOOL.test', emailVerified: new Date() });
    expect(await production(google('999'))).toBe('claim-unknown');
    expect(await production({ ...google('111'), value: 'google:x' })).toBe('claim-unknown');
  });

  it('counts from the school’s networks and until its end only', async () => {
    await policy({ claims: 'match', ...inForce() });
    expect(await production(google('111', 'ada@school.test', '192.168.0.1'))).toBe('claims-off');
    await policy({ claims: 'match', ...inForce(), claimsUntil: new Date(world.time.now - 1) });
    expect(await production(google('111'))).toBe('claims-off');
    await policy({ claims: 'match', ...inForce(), claimsUntil: null });
    expect(await production(google('111'))).toBe('claims-off');
    await policy({ claims: 'match', ...inForce(), claimNetworks: [] });
    expect(await production(google('111'))).toBe('claims-off');
  });

  it('does not reach a person of another school, nor one who is suspended', async () => {
    await policy({ claims: 'match', ...inForce() });
    await world.prisma.person.update({ where: { id: ada }, data: { state: 'suspended' } });
    expect(await production(google('111'))).toBe('claim-unknown');
    const other = await world.make.school();
    await world.prisma.person.update({ where: { id: ada }, data: { state: 'active', schoolId: other } });
    expect(await production(google('111'))).toBe('claim-unknown');
  });

  it('that two schools have switched on is nobody’s', async () => {
    const other = await world.make.school();
    await world.prisma.domainPolicy.create({
      data: { schoolId: other, domain: 'school.test', claims: 'match', ...inForce() },
    });
    expect(await production(google('111'))).toBe('claims-off');
  });
});

describe('a network', () => {
  it('holds its addresses, in both versions', () => {
    expect(isWithin('10.9.9.9', ['10.0.0.0/8'])).toBe(true);
    expect(isWithin('::ffff:10.9.9.9', ['10.0.0.0/8'])).toBe(true);
    expect(isWithin('11.0.0.1', ['10.0.0.0/8'])).toBe(false);
    expect(isWithin('2001:db8::1', ['2001:db8::/32'])).toBe(true);
    expect(isWithin('', ['0.0.0.0/0'])).toBe(false);
    expect(isWithin('10.9.9.9', ['nonsense', '10.0.0.0'])).toBe(false);
  });
});
