import { z } from 'zod';
import type { RightsStore } from '#server/roster/change-rights.ts';
import { findDemoPerson } from '../../prisma/demo-people.ts';
import { readSessionCookie, writeSessionCookie } from './cookie.ts';
import { isOwnRequest, json, refusal } from './origin.ts';
import { isStaff } from './read-viewer.ts';
import type { Sessions } from './sessions.ts';

const body = z.object({ email: z.string().max(200) });

/** The one field of the form or the JSON; null for any other body. */
async function readEmail(request: Request): Promise<{ email: string; isForm: boolean } | null> {
  const type = request.headers.get('content-type') ?? '';
  const isForm = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type);
  if (!isForm && !/^application\/json\b/i.test(type)) return null;
  const given = await (isForm ? request.formData().then(Object.fromEntries) : request.json()).catch(
    () => null,
  );
  const parsed = body.safeParse(given);
  return parsed.success ? { email: parsed.data.email.trim().toLowerCase(), isForm } : null;
}

/**
 * `POST /api/dev-sign-in`: a session for a person of the demo school, made as any other. Made in demo mode only, so in
 * production there is nothing to call. A form is answered with a redirect to where the person works, JSON with `{ ok: true }`.
 */
export function demoSignIn(
  store: RightsStore,
  sessions: Sessions,
  origins: () => readonly string[],
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!isOwnRequest(request, origins())) return refusal(403, 'forbidden', 'sign in from our own page');
    const given = await readEmail(request);
    if (!given) return refusal(400, 'invalid', 'send { "email": … } as JSON or as a form');
    const listed = findDemoPerson(given.email);
    const person = listed && (await findInForce(store, listed.id));
    if (!person) return refusal(404, 'not-found', 'nobody of the demo school has this address');
    // A machine that is shared: who signs in ends whatever session was there.
    const before = readSessionCookie(request.headers.get('cookie'), true);
    if (before) await sessions.end(before);
    const value = await sessions.begin({
      person,
      address: '127.0.0.1',
      agent: request.headers.get('user-agent'),
    });
    const headers = { 'set-cookie': writeSessionCookie(value, true), 'cache-control': 'no-store' };
    if (!given.isForm) return json(200, { ok: true }, headers);
    const location = (await isStaff(store.prisma, person.id, new Date(store.clock())))
      ? '/classes'
      : '/write';
    return new Response(null, { status: 303, headers: { ...headers, location } });
  };
}

const findInForce = ({ prisma }: RightsStore, id: string) =>
  prisma.person.findFirst({ where: { id, state: 'active' }, select: { id: true, schoolId: true } });
