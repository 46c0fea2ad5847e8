import type { NextRequest } from 'next/server';
import NextAuth from 'next-auth';
import { runtime } from '#server/runtime.ts';
import { forbidden } from '../../answer.ts';

type Context = { params: Promise<{ nextauth: string[] }> };

/** next-auth's own paths. It compares a CSRF token before it changes anything; we compare the origin before that. */
async function handle(request: NextRequest, context: Context): Promise<Response> {
  const { auth } = runtime();
  if (request.method === 'POST' && !auth.isOwnRequest(request)) return forbidden();
  const answer: Response = await NextAuth(request, context as never, auth.options());
  const headers = new Headers(answer.headers);
  headers.set('cache-control', 'no-store');
  return new Response(answer.body, { status: answer.status, headers });
}

export { handle as GET, handle as POST };
