import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Auth, openAuth } from '#server/auth/open-auth.ts';
import { openTestPeople, type TestPeople } from '#server/auth/testing.ts';
import { AppError } from '#server/errors.ts';
import { type Runtime, setRuntime } from '#server/runtime.ts';
import { seedDemoSchool } from '../../prisma/demo-school.ts';
import { answering } from './answer.ts';
import { POST as devSignIn } from './dev-sign-in/route.ts';
import { POST as events } from './events/route.ts';
import { GET as ready } from './health/ready/route.ts';
import { GET as health } from './health/route.ts';
import { POST as ingestToken } from './ingest/token/route.ts';
import { POST as signOut } from './sign-out/route.ts';

const ORIGIN = 'http://localhost:3000';
let world: TestPeople;
let auth: Auth;
let directory: string;
let isReady = true;
const posted: (string | null)[] = [];

beforeAll(async () => {
  world = await openTestPeople();
  directory = await mkdtemp(join(tmpdir(), 'lo-routes-'));
  await seedDemoSchool(world.prisma);
  world.time.now = Date.now() + 1000;
  const onError = (error: unknown) => {
    throw error;
  };
  auth = await openAuth(world.store, world.access, {
    ...{ isDemo: true, varDir: directory, origins: () => [ORIGIN], onError },
  });
  const runtime: Runtime = {
    isDemo: true,
    publicUrl: ORIGIN,
    prisma: world.prisma,
    auth,
    access: world.access,
    audit: world.store.audit,
    roster: world.roster,
    queries: () => [],
    health: () => ({ ok: true, version: '0' }),
    ready: () => ({ ready: isReady, checks: { archive: 'accepting' } }),
    ingest: {
      async post(request) {
        posted.push(request.headers.get('authorization'));
        return Response.json({});
      },
      token: auth.ingestToken,
    },
  };
  setRuntime(runtime);
}, 60_000);
afterAll(async () => {
  auth.close();
  await world.close();
  await rm(directory, { recursive: true });
});

const request = (path: string, headers: Record<string, string> = {}, body?: string) =>
  new Request(`${ORIGIN}/api/${path}`, { method: 'POST', headers, ...(body ? { body } : {}) });

async function signIn(email: string): Promise<string> {
  const headers = { origin: ORIGIN, 'content-type': 'application/json' };
  const answer = await devSignIn(request('dev-sign-in', headers, JSON.stringify({ email })));
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

describe('the API', () => {
  it('signs out from our own page only, and takes the cookie away', async () => {
    const cookie = await signIn('teacher@demo.test');
    for (const origin of ['', 'https://evil.test'])
      expect((await signOut(request('sign-out', { cookie, origin }))).status).toBe(403);
    expect(await auth.viewerOf(cookie)).not.toBeNull();
    const answer = await signOut(request('sign-out', { cookie, origin: ORIGIN }));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/sign-in']);
    expect(answer.headers.getSetCookie()).toEqual(['lo-session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
    expect(await auth.viewerOf(cookie)).toBeNull();
  });

  it('gives a student’s page its ingest token', async () => {
    const cookie = await signIn('student09@demo.test');
    const answer = await ingestToken(request('ingest/token', { cookie, origin: ORIGIN }));
    const { token, student } = await answer.json();
    expect(await auth.identify.byToken(token)).toMatchObject({ student });
  });

  it('has no demo sign-in where the server has none', async () => {
    const { demoSignIn: _, ...without } = auth;
    const { runtime } = await import('#server/runtime.ts');
    const before = runtime();
    setRuntime({ ...before, auth: without });
    const answer = await devSignIn(request('dev-sign-in', { origin: ORIGIN }));
    expect(answer.status).toBe(404);
    setRuntime(before);
  });

  it('hands events on with their credential', async () => {
    expect((await events(request('events', { authorization: 'Bearer x' }))).status).toBe(200);
    expect(posted).toEqual(['Bearer x']);
  });

  it('says whether it lives and whether it is ready', async () => {
    expect(await health().json()).toEqual({ ok: true, version: '0' });
    expect(ready().status).toBe(200);
    isReady = false;
    expect(ready().status).toBe(503);
    expect(ready().headers.get('cache-control')).toBe('no-store');
  });

  it('answers errors by their code, and says nothing of those that have none', async () => {
    const answer = async (error: unknown) => {
      const made = await answering(() => Promise.reject(error));
      return [made.status, (await made.json()).code, made.headers.get('cache-control')];
    };
    expect(await answer(new AppError('not-found', 'nothing here'))).toEqual([404, 'not-found', 'no-store']);
    expect(await answer(new AppError('unavailable', 'later'))).toEqual([503, 'unavailable', 'no-store']);
    expect(await answer(new Error('secret detail'))).toEqual([500, 'internal', 'no-store']);
    const made = await answering(() => Promise.reject(new Error('secret detail')));
    expect(await made.text()).not.toContain('secret');
  });
});
