import type { NextApiRequest, NextApiResponse } from 'next';
import NextAuth from 'next-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextAuthOptions } from './next-auth-options.ts';
import { openSessions, type Sessions } from './sessions.ts';
import { openTestPeople, type TestPeople } from './testing.ts';

let world: TestPeople;
let sessions: Sessions;
let person: { id: string; schoolId: string };
beforeAll(async () => {
  world = await openTestPeople();
  sessions = openSessions(world.store);
  const schoolId = await world.make.school();
  person = { id: await world.make.person(schoolId, { givenName: 'Ada', familyName: 'Lindqvist' }), schoolId };
}, 60_000);
afterAll(() => world.close());

type Answer = { status: number; body: unknown; cookies: string[] };

/** next-auth's own handler, over the request and answer objects that it asks for. */
async function ask(
  path: string[],
  given: { method?: string; cookies?: Record<string, string>; body?: Record<string, string> } = {},
): Promise<Answer> {
  const answer: Answer = { status: 200, body: null, cookies: [] };
  const headers = new Map<string, unknown>();
  const response = {
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    setHeader: (name: string, value: unknown) => headers.set(name.toLowerCase(), value),
    status: (status: number) => {
      answer.status = status;
      return response;
    },
    json: (body: unknown) => done(body),
    send: (body: unknown) => done(body),
    redirect: (status: number) => done(status),
    end: () => done(null),
  };
  const done = (body: unknown) => {
    answer.body = body;
    answer.cookies = [headers.get('set-cookie') ?? []].flat() as string[];
  };
  const request = {
    method: given.method ?? 'GET',
    query: { nextauth: path },
    cookies: given.cookies ?? {},
    headers: { host: 'localhost:3000' },
    body: given.body ?? {},
  };
  const options = nextAuthOptions({ prisma: world.prisma, sessions, isDemo: true, secret: 's'.repeat(32) });
  await NextAuth(request as never as NextApiRequest, response as never as NextApiResponse, options);
  return answer;
}

const begin = () => sessions.begin({ person, address: '127.0.0.1', agent: null });

describe('next-auth', () => {
  it('knows the person behind our cookie, and says no more of her than the name', async () => {
    const value = await begin();
    const { body } = await ask(['session'], { cookies: { 'lo-session': value } });
    expect(body).toMatchObject({ user: { name: 'Ada Lindqvist' } });
    expect(Object.keys((body as { user: object }).user)).toEqual(['name']);
    expect((await ask(['session'], { cookies: { 'lo-session': 'x'.repeat(43) } })).body).toEqual({});
    expect((await ask(['session'], { cookies: { 'next-auth.session-token': value } })).body).toEqual({});
  });

  it('does not push a session’s end further', async () => {
    const value = await begin();
    const [{ expires } = { expires: null }] = await world.prisma.session.findMany({
      orderBy: { createdAt: 'desc' },
      take: 1,
    });
    world.time.now += 3_600_000;
    await ask(['session'], { cookies: { 'lo-session': value } });
    const later = await world.prisma.session.findMany({ orderBy: { createdAt: 'desc' }, take: 1 });
    expect(later[0]?.expires).toEqual(expires);
  });

  it('ends the session when asked with its token, and only then', async () => {
    const value = await begin();
    const cookies = { 'lo-session': value };
    await ask(['signout'], { method: 'POST', cookies, body: { csrfToken: 'guessed' } });
    expect(await sessions.find(value)).not.toBeNull();
    const csrf = await ask(['csrf'], { cookies });
    const { csrfToken } = csrf.body as { csrfToken: string };
    const pair = csrf.cookies.find((cookie) => cookie.includes('csrf-token')) ?? '';
    const [name = '', token = ''] = (pair.split(';')[0] ?? '').split('=');
    await ask(['signout'], {
      method: 'POST',
      cookies: { ...cookies, [name]: decodeURIComponent(token) },
      body: { csrfToken, json: 'true' },
    });
    expect(await sessions.find(value)).toBeNull();
    expect(await world.prisma.accessChange.count({ where: { kind: 'session-ended' } })).toBe(1);
  });
});
