import { headers } from 'next/headers';
import { notFound, redirect } from 'next/navigation';
import { cache } from 'react';
import type { Viewer } from '#server/access/viewer.ts';
import { runtime } from '#server/runtime.ts';

/** Who looks, from the session's cookie; null for a visitor. Asked once a request. */
export const getViewer = cache(async (): Promise<Viewer | null> => {
  const given = await headers();
  return runtime().auth.viewerOf(given.get('cookie'), given.get('x-client-address') ?? undefined);
});

/** Who looks; a visitor is sent to sign in. */
export async function requireViewer(): Promise<Viewer> {
  return (await getViewer()) ?? redirect('/sign-in');
}

/** What a question to the server answers; *not allowed* and *not there* both become the page of that name. */
export async function orNotFound<Answer>(asked: Promise<Answer>): Promise<Answer> {
  return asked.catch((error: unknown) => {
    if (codeOf(error) === 'not-found') notFound();
    throw error;
  });
}

/** The code of a server error. By its field, since the error's class exists once in each module graph. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
