import { randomBytes } from 'node:crypto';
import type { NextAuthOptions } from 'next-auth';
import type { Access, AccessChange } from '#server/access/access.ts';
import type { Viewer } from '#server/access/viewer.ts';
import type { Env } from '#server/env.ts';
import { AppError } from '#server/errors.ts';
import type { CollectionRules, Identify, Identity } from '#server/ingest/identity.ts';
import type { RightsStore } from '#server/roster/change-rights.ts';
import { fullName } from '#server/roster/display-names.ts';
import { DEMO_CLASSES, DEMO_PEOPLE } from '../../prisma/demo-people.ts';
import { openClaims } from './claims.ts';
import { openCollectionRules } from './collection-rules.ts';
import { readSessionCookie, writeSessionCookie } from './cookie.ts';
import { demoSignIn } from './demo-sign-in.ts';
import { endClaims, isEnrolled } from './enrolled.ts';
import { demoIngestKey, parseIngestKey } from './ingest-key.ts';
import {
  INGEST_TOKEN_MS,
  ingestTokenVerifier,
  revocations,
  type VerifiedIngestToken,
} from './ingest-token.ts';
import { ingestTokenRoute } from './ingest-token-route.ts';
import { nextAuthOptions } from './next-auth-options.ts';
import { isOwnRequest } from './origin.ts';
import { openSessions } from './sessions.ts';

export type AuthSettings = Pick<Env, 'isDemo' | 'varDir' | 'NEXTAUTH_SECRET' | 'INGEST_SIGNING_KEY'> & {
  /** Origins of our own pages: `ownOrigins` of origin.ts. */
  readonly origins: () => readonly string[];
  readonly onError: (error: unknown) => void;
};

export type DemoPersonCard = { readonly email: string; readonly name: string; readonly as: string };

export type Auth = {
  viewerOf(cookie: string | null, address?: string): Promise<Viewer | null>;
  /** Ends the cookie's session on every node; gives the `set-cookie` values that take the cookie away. */
  signOut(cookie: string | null): Promise<readonly string[]>;
  /** Whether a request that changes something comes from one of our own pages. */
  isOwnRequest(request: Request): boolean;
  /** A visible live dashboard counts as use of its session. */
  touch(sessionId: string): Promise<void>;
  readonly demoSignIn?: (request: Request) => Promise<Response>;
  readonly demoPeople: readonly DemoPersonCard[];
  /** Sign-in through Google is not built yet. */
  readonly hasGoogle: boolean;
  options(): NextAuthOptions;
  readonly identify: Identify;
  readonly rules: CollectionRules;
  /** `POST /api/ingest/token` for a signed-in student's own page. */
  ingestToken(request: Request): Promise<Response>;
  close(): void;
};

/** Everything about who is behind a cookie, a token or a claim. Throws `invalid` when production has no signing key. */
export async function openAuth(
  store: RightsStore,
  access: Pick<Access, 'onChange'>,
  settings: AuthSettings,
): Promise<Auth> {
  const { prisma, clock } = store;
  const { isDemo, origins } = settings;
  const key = await signingKey(settings);
  const verify = ingestTokenVerifier(key, clock);
  const revoked = revocations(clock);
  const sessions = openSessions(store);
  const rules = openCollectionRules(prisma, clock, settings.onError);
  const byClaim = openClaims(store, { isDemo, visitorsClassroomId: DEMO_CLASSES.visitors });
  const secret = settings.NEXTAUTH_SECRET ?? randomBytes(32).toString('base64url');

  function hear(change: AccessChange, at: number): void {
    if (change.kind === 'session-ended' && change.sessionId) revoked.revoke(change.sessionId, at);
    if (change.kind === 'person' && change.personId) revoked.revoke(change.personId, at);
    if (change.kind !== 'setting' && change.kind !== 'class') sessions.forget(change);
    rules.changed(change);
  }
  const stop = access.onChange((change) => hear(change, clock()));
  await replayRevocations(store, hear);

  const viewerOf: Auth['viewerOf'] = async (cookie, address = '') => {
    const value = readSessionCookie(cookie, isDemo);
    return value === null ? null : sessions.viewerOf(value, address);
  };

  const identify: Identify = {
    byClaim,
    byToken: async (token) => identityOfToken(await verify(token), revoked),
    byCookie: async (cookie) => identityOfViewer(store, await viewerOf(cookie ?? null)),
  };

  return {
    viewerOf,
    async signOut(cookie) {
      const value = readSessionCookie(cookie, isDemo);
      if (value !== null) await sessions.end(value);
      return [writeSessionCookie(null, isDemo)];
    },
    isOwnRequest: (request) => isOwnRequest(request, origins()),
    touch: sessions.touch,
    ...(isDemo ? { demoSignIn: demoSignIn(store, sessions, origins) } : {}),
    demoPeople: isDemo ? demoCards() : [],
    hasGoogle: false,
    options: () => nextAuthOptions({ prisma, sessions, isDemo, secret }),
    identify,
    rules,
    ingestToken: ingestTokenRoute({ store, key, viewerOf, origins }),
    close: stop,
  };
}

function identityOfToken(
  token: VerifiedIngestToken | null,
  revoked: ReturnType<typeof revocations>,
): Identity | null {
  if (!token || revoked.isRevoked(token)) return null;
  const { person: student, school, installation: credential, expiresAt } = token;
  return { student, school, kind: 'verified', credential, expiresAt };
}

/** A viewer who is a student now; from here on nobody may claim to be her. */
async function identityOfViewer(
  { prisma, clock }: RightsStore,
  viewer: Viewer | null,
): Promise<Identity | null> {
  const now = new Date(clock());
  if (!viewer || !(await isEnrolled(prisma, viewer.personId, now))) return null;
  await endClaims(prisma, viewer.personId, now);
  const { personId: student, schoolId: school, sessionId: credential } = viewer;
  return { student, school, kind: 'verified', credential, expiresAt: null };
}

async function signingKey({ INGEST_SIGNING_KEY, isDemo, varDir }: AuthSettings) {
  if (INGEST_SIGNING_KEY) return parseIngestKey(INGEST_SIGNING_KEY);
  if (isDemo) return demoIngestKey(varDir);
  throw new AppError('invalid', 'INGEST_SIGNING_KEY is missing: name an Ed25519 key in PKCS8 PEM');
}

/** Tokens outlive a restart, so what was revoked in their lifetime is read again. */
async function replayRevocations(
  { prisma, clock }: RightsStore,
  hear: (change: AccessChange, at: number) => void,
): Promise<void> {
  const rows = await prisma.accessChange.findMany({
    where: { kind: { in: ['session-ended', 'person'] }, at: { gt: new Date(clock() - INGEST_TOKEN_MS) } },
    select: { kind: true, personId: true, sessionId: true, at: true },
  });
  for (const { kind, personId, sessionId, at } of rows)
    hear(
      {
        kind: kind === 'person' ? 'person' : 'session-ended',
        ...(personId ? { personId } : {}),
        ...(sessionId ? { sessionId } : {}),
      },
      at.getTime(),
    );
}

const demoCards = (): readonly DemoPersonCard[] =>
  DEMO_PEOPLE.map(({ email, as, ...person }) => ({
    email,
    as,
    name: fullName({ ...person, preferredName: null }),
  }));
