import type { KeyObject } from 'node:crypto';
import type { Viewer } from '#server/access/viewer.ts';
import type { RightsStore } from '#server/roster/change-rights.ts';
import { endClaims, isEnrolled } from './enrolled.ts';
import { signIngestToken } from './ingest-token.ts';
import { isOwnRequest, json, refusal } from './origin.ts';

/**
 * `POST /api/ingest/token`: a signed-in student's own page gets a token that writes this student's events for 15 minutes,
 * and ends with the session. Answers `{ token, expiresAt, student }`, 401 without a session, 403 to who is in no class.
 */
export function ingestTokenRoute(settings: {
  readonly store: RightsStore;
  readonly key: KeyObject;
  readonly viewerOf: (cookie: string | null) => Promise<Viewer | null>;
  readonly origins: () => readonly string[];
}): (request: Request) => Promise<Response> {
  const { prisma, clock } = settings.store;
  return async (request) => {
    if (!isOwnRequest(request, settings.origins())) return refusal(403, 'forbidden', 'ask from our own page');
    const viewer = await settings.viewerOf(request.headers.get('cookie'));
    if (!viewer) return refusal(401, 'unauthenticated', 'sign in first');
    const now = clock();
    if (!(await isEnrolled(prisma, viewer.personId, new Date(now))))
      return refusal(403, 'forbidden', 'only students of a class send events');
    await endClaims(prisma, viewer.personId, new Date(now));
    const subject = {
      person: viewer.personId,
      school: viewer.schoolId,
      installation: viewer.sessionId,
    };
    const { token, expiresAt } = await signIngestToken(settings.key, subject, now);
    return json(200, { token, expiresAt, student: viewer.personId });
  };
}
