import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_CLASSES, DEMO_SCHOOL_ID, findDemoPerson } from '../../prisma/demo-people.ts';
import { seedDemoSchool } from '../../prisma/demo-school.ts';
import { hashOf, SESSION_MS } from './cookie.ts';
import { type Auth, openAuth } from './open-auth.ts';
import { openSessions } from './sessions.ts';
import { openTestPeople, type TestPeople } from './testing.ts';

const ORIGIN = 'http://localhost:3000';
const HOUR = 3_600_000;
let world: TestPeople;
let auth: Auth;
let directory: string;
const settings = () => ({ varDir: directory, origins: () => [ORIGIN], onError: fail });
const fail = (error: unknown): never => {
  throw error;
};

beforeAll(async () => {
  world = await openTestPeople();
  directory = await mkdtemp(join(tmpdir(), 'lo-auth-'));
  await seedDemoSchool(world.prisma);
  // Rows of the demo school begin with the database's clock, which is not the test's.
  world.time.now = Date.now() + 1000;
  auth = await openAuth(world.store, world.access, { isDemo: true, ...settings() });
}, 60_000);
afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true });
});

const request = (path: string, init: RequestInit = {}, origin: string | null = ORIGIN): Request =>
  new Request(`${ORIGIN}${path}`, {
    method: 'POST',
    ...init,
    headers: { ...(origin === null ? {} : { origin }), ...init.headers },
  });
const asJson = (email: unknown, headers: Record<string, string> = {}): RequestInit => ({
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ email }),
});
const demoSignIn = (made: Request) => auth.demoSignIn?.(made) ?? Promise.reject(new Error('no demo sign-in'));
async function signIn(email: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await demoSignIn(request('/api/dev-sign-in', asJson(email, headers)));
  expect(answer.status).toBe(200);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
const idOf = (email: string): string => findDemoPerson(email)?.id ?? fail(new Error(email));

describe('demo sign-in', () => {
  it('makes a session for a person of the demo school', async () => {
    const answer = await demoSignIn(request('/api/dev-sign-in', asJson('teacher@demo.test')));
    expect(await answer.json()).toEqual({ ok: true });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^lo-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await auth.viewerOf(cookie.split(';')[0] ?? '', '10.1.2.3')).toMatchObject({
      personId: idOf('teacher@demo.test'),
      schoolId: DEMO_SCHOOL_ID,
      name: 'Marguerite Okonjo',
      address: '10.1.2.0/24',
      roles: [],
    });
  });

  it('sends who filled the form to the place where she works', async () => {
    const form = async (email: string) => {
      const answer = await demoSignIn(
        request('/api/dev-sign-in', { body: new URLSearchParams({ email }) as never }),
      );
      expect(answer.status).toBe(303);
      return answer.headers.get('location');
    };
    expect(await form('coteacher@demo.test')).toBe('/classes');
    expect(await form('admin@demo.test')).toBe('/classes');
    expect(await form('Student07@demo.test ')).toBe('/write');
  });

  it('refuses other pages, other people and other bodies', async () => {
    const path = '/api/dev-sign-in';
    const good = asJson('teacher@demo.test');
    const status = async (made: Request) => (await demoSignIn(made)).status;
    expect(await status(request(path, good, null))).toBe(403);
    expect(await status(request(path, good, 'null'))).toBe(403);
    expect(await status(request(path, good, `${ORIGIN}.evil.test`))).toBe(403);
    expect(await status(request(path, good, 'http://localhost:30001'))).toBe(403);
    const crossSite = asJson('teacher@demo.test', { 'sec-fetch-site': 'cross-site' });
    expect(await status(request(path, crossSite))).toBe(403);
    expect(await status(request(path, asJson('nobody@demo.test')))).toBe(404);
    expect(await status(request(path, asJson({ not: 'a string' })))).toBe(400);
    expect(await status(request(path, { ...good, headers: { 'content-type': 'text/plain' } }))).toBe(400);
  });

  it('has a new value each time, and ends the session that was there', async () => {
    const first = await signIn('teacher@demo.test');
    const second = await signIn('coteacher@demo.test', { cookie: first });
    expect(second).not.toBe(first);
    expect(await auth.viewerOf(first)).toBeNull();
    expect((await auth.viewerOf(second))?.personId).toBe(idOf('coteacher@demo.test'));
  });

  it('does not exist in production', async () => {
    const key = (await import('node:crypto')).generateKeyPairSync('ed25519').privateKey;
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const production = await openAuth(world.store, world.access, {
      isDemo: false,
      INGEST_SIGNING_KEY: pem,
      ...settings(),
    });
    expect(production.demoSignIn).toBeUndefined();
    expect(production.demoPeople).toEqual([]);
    const cookie = await signIn('teacher@demo.test');
    expect(await production.viewerOf(cookie)).toBeNull();
    expect((await production.viewerOf(cookie.replace('lo-session', '__Host-lo-session')))?.personId).toBe(
      idOf('teacher@demo.test'),
    );
    expect(await production.signOut(null)).toEqual([
      '__Host-lo-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax',
    ]);
    production.close();
    await expect(openAuth(world.store, world.access, { isDemo: false, ...settings() })).rejects.toThrow(
      'INGEST_SIGNING_KEY is missing',
    );
  });
});

describe('a session', () => {
  it('is not in the table by its value', async () => {
    const value = (await signIn('teacher@demo.test')).split('=')[1] ?? '';
    const rows = await world.prisma.session.findMany();
    expect(JSON.stringify(rows)).not.toContain(value);
    const stolen = rows.map(({ sessionToken }) => auth.viewerOf(`lo-session=${sessionToken}`));
    expect((await Promise.all(stolen)).filter(Boolean)).toEqual([]);
  });

  it('ends at once when its owner signs out, and says so to every listener', async () => {
    const cookie = await signIn('teacher@demo.test');
    const viewer = await auth.viewerOf(cookie);
    const heard: unknown[] = [];
    const stop = world.access.onChange((change) => heard.push(change));
    expect(await auth.signOut(cookie)).toEqual(['lo-session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
    expect(await auth.viewerOf(cookie)).toBeNull();
    expect(heard).toEqual([
      { kind: 'session-ended', personId: viewer?.personId, sessionId: viewer?.sessionId },
    ]);
    if (viewer) await expect(world.access.toClass(viewer, DEMO_CLASSES.english, 'read')).rejects.toThrow();
    stop();
  });

  it('of staff ends after two hours without use, and lives twelve hours at most', async () => {
    const { time } = world;
    const start = time.now;
    const idle = await signIn('teacher@demo.test');
    const used = await signIn('teacher@demo.test');
    for (let hour = 1; hour < 12; hour++) {
      time.now = start + hour * HOUR;
      expect(await auth.viewerOf(used), `hour ${hour}`).not.toBeNull();
    }
    expect(await auth.viewerOf(idle)).toBeNull();
    time.now = start + SESSION_MS - 1;
    expect(await auth.viewerOf(used)).not.toBeNull();
    time.now = start + SESSION_MS;
    expect(await auth.viewerOf(used)).toBeNull();
    time.now = start;
  });

  it('of staff lives on while a live dashboard is visible', async () => {
    const { time } = world;
    const start = time.now;
    const cookie = await signIn('teacher@demo.test');
    const viewer = await auth.viewerOf(cookie);
    time.now += 1.9 * HOUR;
    await auth.touch(viewer?.sessionId ?? '');
    time.now += 1.9 * HOUR;
    expect(await auth.viewerOf(cookie)).not.toBeNull();
    time.now = start;
  });

  it('of a student has no idle time', async () => {
    const { time } = world;
    const start = time.now;
    const cookie = await signIn('student01@demo.test');
    time.now += SESSION_MS - 1;
    expect(await auth.viewerOf(cookie)).not.toBeNull();
    time.now += 1;
    expect(await auth.viewerOf(cookie)).toBeNull();
    time.now = start;
  });

  it('of a suspended person counts no more, five seconds later at most', async () => {
    const { prisma, time } = world;
    const cookie = await signIn('other-teacher@demo.test');
    expect(await auth.viewerOf(cookie)).not.toBeNull();
    const where = { id: idOf('other-teacher@demo.test') };
    await prisma.person.update({ where, data: { state: 'suspended' } });
    time.now += 5000;
    expect(await auth.viewerOf(cookie)).toBeNull();
    expect((await demoSignIn(request('/api/dev-sign-in', asJson('other-teacher@demo.test')))).status).toBe(
      404,
    );
    await prisma.person.update({ where, data: { state: 'active' } });
  });

  it('that was read before a change of rights is not kept after it', async () => {
    const { prisma, store, time } = world;
    const sessions = openSessions(store);
    const person = { id: idOf('student02@demo.test'), schoolId: DEMO_SCHOOL_ID };
    const value = await sessions.begin({ person, address: '127.0.0.1', agent: null });
    const reading = sessions.viewerOf(value, '');
    sessions.forget({ personId: person.id });
    expect(await reading).not.toBeNull();
    const where = { sessionToken: hashOf(value) };
    await prisma.session.updateMany({ where, data: { endedAt: new Date(time.now) } });
    expect(await sessions.viewerOf(value, '')).toBeNull();
  });

  it('is not made by a forged, an empty or no cookie', async () => {
    for (const cookie of [null, '', 'lo-session=', `lo-session=${'A'.repeat(43)}`, 'other=1', ';;=;'])
      expect(await auth.viewerOf(cookie)).toBeNull();
  });
});

describe('next-auth’s adapter', () => {
  it('has the hash where the caller has the value, and makes nobody', async () => {
    const { adapter, providers, cookies } = auth.options();
    if (!adapter?.createSession || !adapter.getSessionAndUser || !adapter.deleteSession)
      throw new Error('no adapter');
    expect(cookies?.sessionToken?.name).toBe('lo-session');
    expect(providers).toEqual([]);
    const userId = idOf('student02@demo.test');
    const expires = new Date(world.time.now + HOUR);
    const { sessionToken } = await adapter.createSession({ sessionToken: 'fixed', userId, expires });
    expect(sessionToken).not.toBe('fixed');
    expect((await adapter.getSessionAndUser(sessionToken))?.user).toMatchObject({ id: userId });
    expect((await auth.viewerOf(`lo-session=${sessionToken}`))?.personId).toBe(userId);
    await adapter.deleteSession(sessionToken);
    expect(await adapter.getSessionAndUser(sessionToken)).toBeNull();
    expect(await auth.viewerOf(`lo-session=${sessionToken}`)).toBeNull();
    expect(await adapter.getUserByEmail?.('teacher@demo.test')).toBeNull();
    const user = { id: 'x', email: 'x@y.test', emailVerified: null };
    await expect(adapter.createUser?.(user)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(adapter.linkAccount?.({ userId } as never)).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('a student’s ingest token', () => {
  const ask = (cookie: string, origin: string | null = ORIGIN) =>
    auth.ingestToken(request('/api/ingest/token', { headers: { cookie } }, origin));

  it('proves the student and nobody else, until the session ends', async () => {
    const cookie = await signIn('student03@demo.test');
    const answer = await ask(cookie);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { token, student, expiresAt } = await answer.json();
    expect(student).toBe(idOf('student03@demo.test'));
    expect(expiresAt - world.time.now).toBeLessThanOrEqual(15 * 60_000);
    const sessionId = (await auth.viewerOf(cookie))?.sessionId;
    expect(await auth.identify.byToken(token)).toEqual({
      student,
      school: DEMO_SCHOOL_ID,
      kind: 'verified',
      credential: sessionId,
      expiresAt,
    });
    await auth.signOut(cookie);
    expect(await auth.identify.byToken(token)).toBeNull();
    // A process that starts now has heard nothing, and reads it.
    const restarted = await openAuth(world.store, world.access, { isDemo: true, ...settings() });
    expect(await restarted.identify.byToken(token)).toBeNull();
    restarted.close();
  });

  it('is refused to teachers, strangers and other pages', async () => {
    expect((await ask(await signIn('teacher@demo.test'))).status).toBe(403);
    expect((await ask('lo-session=nothing')).status).toBe(401);
    expect((await ask(await signIn('student04@demo.test'), 'https://evil.test')).status).toBe(403);
    expect((await ask(await signIn('student04@demo.test'), null)).status).toBe(403);
  });
});

describe('who is behind a connection', () => {
  it('by cookie is a student in a class, never a teacher', async () => {
    const cookie = await signIn('student05@demo.test');
    expect(await auth.identify.byCookie(cookie)).toMatchObject({
      student: idOf('student05@demo.test'),
      kind: 'verified',
      expiresAt: null,
    });
    expect(await auth.identify.byCookie(await signIn('teacher@demo.test'))).toBeNull();
    expect(await auth.identify.byCookie(undefined)).toBeNull();
    expect(await auth.identify.byToken(cookie.split('=')[1] ?? '')).toBeNull();
  });
});
