import { PrismaAdapter } from '@auth/prisma-adapter';
import type { NextAuthOptions } from 'next-auth';
import type { Adapter, AdapterSession, AdapterUser } from 'next-auth/adapters';
import { AppError } from '#server/errors.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import { fullName } from '#server/roster/display-names.ts';
import { newCookieValue, SESSION_MS, sessionCookieName, sessionCookieOptions } from './cookie.ts';
import type { FoundSession } from './read-viewer.ts';
import type { Sessions } from './sessions.ts';

const refused = (what: string) => () =>
  Promise.reject(new AppError('forbidden', `${what}: people come from rosters, not from signing in`));

const userOf = ({ user }: FoundSession): AdapterUser => ({
  id: user.id,
  name: fullName(user),
  email: user.email ?? '',
  emailVerified: null,
});

/**
 * The adapter with people as its users. It makes nobody, links nobody by mail, and has the hash of a session where
 * next-auth has the value; what ends a session goes through `sessions`, so that it reaches every node.
 */
export function sessionAdapter(prisma: PrismaClient, sessions: Sessions): Adapter {
  const asUsers = Object.assign(Object.create(prisma), { user: prisma.person }) as PrismaClient;
  return {
    ...(PrismaAdapter(asUsers) as Adapter),
    getUserByEmail: async () => null,
    createUser: refused('no one is created here'),
    updateUser: refused('no one is changed here'),
    deleteUser: refused('no one is deleted here'),
    linkAccount: refused('no account is linked here'),
    async createSession({ userId }): Promise<AdapterSession> {
      const person = await prisma.person.findUniqueOrThrow({ where: { id: userId, state: 'active' } });
      const sessionToken = await sessions.begin({ person, address: '', agent: null });
      const found = await sessions.find(sessionToken);
      if (!found) throw new AppError('unavailable', 'the session is gone before it began');
      return { sessionToken, userId, expires: found.expires };
    },
    async getSessionAndUser(sessionToken) {
      const found = await sessions.find(sessionToken);
      if (!found) return null;
      return {
        session: { sessionToken, userId: found.user.id, expires: found.expires },
        user: userOf(found),
      };
    },
    // A session ends when it was said to end: next-auth would push the end further at each use.
    updateSession: async () => null,
    async deleteSession(sessionToken) {
      await sessions.end(sessionToken);
    },
  };
}

/** Options for next-auth: sessions in the database, our own cookie and pages. A provider is added where a school's sign-in is configured. */
export function nextAuthOptions(settings: {
  readonly prisma: PrismaClient;
  readonly sessions: Sessions;
  readonly isDemo: boolean;
  readonly secret: string;
}): NextAuthOptions {
  const { isDemo } = settings;
  return {
    secret: settings.secret,
    adapter: sessionAdapter(settings.prisma, settings.sessions),
    session: { strategy: 'database', maxAge: SESSION_MS / 1000, generateSessionToken: newCookieValue },
    useSecureCookies: !isDemo,
    cookies: {
      sessionToken: { name: sessionCookieName(isDemo), options: sessionCookieOptions(isDemo) },
    },
    pages: { signIn: '/sign-in', signOut: '/sign-in', error: '/sign-in' },
    providers: [],
    callbacks: {
      session: ({ user, session }) => ({ expires: session.expires, user: { name: user.name ?? '' } }),
    },
  };
}
