import { runtime } from '#server/runtime.ts';
import { answering, forbidden } from '../answer.ts';

/** Ends the session on every node. A form goes back to the sign-in page. */
export function POST(request: Request): Promise<Response> {
  return answering(async () => {
    const { auth } = runtime();
    if (!auth.isOwnRequest(request)) return forbidden();
    const cookies = await auth.signOut(request.headers.get('cookie'));
    const headers = new Headers({ 'cache-control': 'no-store', location: '/sign-in' });
    for (const cookie of cookies) headers.append('set-cookie', cookie);
    return new Response(null, { status: 303, headers });
  });
}
