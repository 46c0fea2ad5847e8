import { activeAt, openAt } from '#server/access/in-force.ts';
import type { Viewer } from '#server/access/viewer.ts';
import type { Prisma } from '#server/generated/prisma/client.ts';
import { newId } from '#server/new-id.ts';
import { changeRights, type RightsStore } from '#server/roster/change-rights.ts';
import { fullName } from '#server/roster/display-names.ts';
import { cutAddress } from './address.ts';
import { hashOf, newCookieValue, SESSION_MS } from './cookie.ts';

/** Staff sit at shared machines: two hours without a request end the session. */
const STAFF_IDLE_MS = 2 * 60 * 60 * 1000;
/** Use is noted once a minute at most: a page makes many requests. */
const TOUCH_MS = 60_000;
const CACHE_MS = 5_000;

const FOUND = {
  id: true,
  expires: true,
  idleUntil: true,
  lastSeenAt: true,
  address: true,
  user: {
    select: {
      id: true,
      schoolId: true,
      givenName: true,
      familyName: true,
      preferredName: true,
      email: true,
    },
  },
} satisfies Prisma.SessionSelect;
export type FoundSession = Prisma.SessionGetPayload<{ select: typeof FOUND }>;

export type Sessions = {
  /** Makes a session for a person in force and gives the cookie's value. Audited. */
  begin(
    person: { id: string; schoolId: string },
    from: { address: string; agent: string | null },
  ): Promise<string>;
  find(value: string): Promise<FoundSession | null>;
  /** Who is behind a cookie's value; null when expired, idle, ended or suspended. Kept for 5 s, dropped at once by a change. */
  viewerOf(value: string, address: string): Promise<Viewer | null>;
  /** Ends the session at once, on every node; does nothing where there is none. */
  end(value: string): Promise<void>;
  /** A visible live dashboard counts as use. */
  touch(sessionId: string): Promise<void>;
  /** Forgets what is kept of a person or a session. */
  forget(which: { readonly personId?: string; readonly sessionId?: string }): void;
};

/** Sessions of people. The table has the hash of the cookie's value, so that a copy of the table signs nobody in. */
export function openSessions(store: RightsStore): Sessions {
  const { prisma, clock } = store;
  const kept = new Map<string, { readonly viewer: Viewer; readonly until: number }>();
  /** Rises with each forgetting: what was read before one is not kept after it. */
  let generation = 0;

  const inForce = (now: Date): Prisma.SessionWhereInput => ({
    endedAt: null,
    expires: { gt: now },
    idleUntil: { gt: now },
    user: { state: 'active', school: { state: 'active' } },
  });

  const find = (value: string) => {
    const now = new Date(clock());
    return prisma.session.findFirst({
      where: { sessionToken: hashOf(value), ...inForce(now) },
      select: FOUND,
    });
  };

  async function touchRow(session: FoundSession): Promise<void> {
    const now = clock();
    if (now - session.lastSeenAt.getTime() < TOUCH_MS) return;
    // A student's session has no idle time: it was made with `idleUntil` at its end.
    const idles = session.idleUntil < session.expires;
    const idleUntil = new Date(Math.min(now + STAFF_IDLE_MS, session.expires.getTime()));
    await prisma.session.updateMany({
      where: { id: session.id },
      data: { lastSeenAt: new Date(now), ...(idles ? { idleUntil } : {}) },
    });
  }

  async function readViewer(
    value: string,
    address: string,
  ): Promise<{ viewer: Viewer; until: number } | null> {
    const session = await find(value);
    if (!session) return null;
    await touchRow(session);
    const roles = await rolesOf(store, session.user.id);
    const viewer = viewerFrom(session, roles, address || session.address || '');
    const ends = Math.min(session.expires.getTime(), session.idleUntil.getTime());
    return { viewer, until: Math.min(clock() + CACHE_MS, ends) };
  }

  function forget(which: { readonly personId?: string; readonly sessionId?: string }): void {
    generation += 1;
    for (const [key, { viewer }] of kept)
      if (viewer.personId === which.personId || viewer.sessionId === which.sessionId) kept.delete(key);
  }

  return {
    find,
    forget,
    async begin(person, from) {
      const now = clock();
      const expires = now + SESSION_MS;
      const idle = (await isStaff(store, person.id)) ? now + STAFF_IDLE_MS : expires;
      const value = newCookieValue();
      const id = newId();
      const address = cutAddress(from.address);
      const actor = { personId: person.id, schoolId: person.schoolId, sessionId: id, address };
      await store.audit.write(actor, { action: 'signed in' });
      await prisma.session.create({
        data: {
          id,
          sessionToken: hashOf(value),
          userId: person.id,
          expires: new Date(expires),
          idleUntil: new Date(idle),
          lastSeenAt: new Date(now),
          address,
          agent: from.agent?.slice(0, 200) ?? null,
        },
      });
      return value;
    },

    async viewerOf(value, address) {
      const key = `${hashOf(value)} ${address}`;
      const known = kept.get(key);
      if (known && known.until > clock()) return known.viewer;
      kept.delete(key);
      const before = generation;
      const found = await readViewer(value, cutAddress(address));
      if (!found) return null;
      if (kept.size > 10_000) kept.clear();
      if (generation === before) kept.set(key, found);
      return found.viewer;
    },

    async end(value) {
      const session = await prisma.session.findUnique({
        where: { sessionToken: hashOf(value) },
        select: { id: true, address: true, user: { select: { id: true, schoolId: true } } },
      });
      if (!session) return;
      const { id: personId, schoolId } = session.user;
      await changeRights(
        store,
        { personId, schoolId, sessionId: session.id, address: session.address ?? '' },
        { action: 'signed out' },
        { kind: 'session-ended', personId, sessionId: session.id },
        [prisma.session.deleteMany({ where: { id: session.id } })],
      );
      forget({ sessionId: session.id });
    },

    async touch(sessionId) {
      const now = new Date(clock());
      const session = await prisma.session.findFirst({
        where: { id: sessionId, ...inForce(now) },
        select: FOUND,
      });
      if (session) await touchRow(session);
    },
  };
}

const ROLES = ['school-admin', 'district-admin', 'researcher', 'operator'] as const;

async function rolesOf(store: RightsStore, personId: string): Promise<Viewer['roles']> {
  const rows = await store.prisma.roleHolding.findMany({
    where: { personId, ...openAt(new Date(store.clock())) },
    select: { role: true },
  });
  return ROLES.filter((role) => rows.some((row) => row.role === role));
}

/** Who teaches an active class or holds a role. */
export async function isStaff({ prisma, clock }: RightsStore, personId: string): Promise<boolean> {
  const now = new Date(clock());
  const [teaching, role] = await Promise.all([
    prisma.teaching.findFirst({
      where: { personId, ...openAt(now), classroom: activeAt(now) },
      select: { id: true },
    }),
    prisma.roleHolding.findFirst({ where: { personId, ...openAt(now) }, select: { id: true } }),
  ]);
  return teaching !== null || role !== null;
}

const viewerFrom = (session: FoundSession, roles: Viewer['roles'], address: string): Viewer => ({
  personId: session.user.id,
  schoolId: session.user.schoolId,
  name: fullName(session.user),
  sessionId: session.id,
  roles,
  address,
});
