import type { Viewer } from '#server/access/viewer.ts';
import { newId } from '#server/new-id.ts';
import { changeRights, type RightsStore } from '#server/roster/change-rights.ts';
import { cutAddress } from './address.ts';
import { hashOf, newCookieValue, SESSION_MS } from './cookie.ts';
import { FOUND, type FoundSession, findSession, inForce, isStaff, readViewer } from './read-viewer.ts';

/** Staff sit at shared machines: two hours without a request end the session. */
const STAFF_IDLE_MS = 2 * 60 * 60 * 1000;
/** Use is noted once a minute at most: a page makes many requests. */
const TOUCH_MS = 60_000;
const CACHE_MS = 5_000;
const MOST_KEPT = 10_000;

export type NewSession = {
  readonly person: { readonly id: string; readonly schoolId: string };
  readonly address: string;
  readonly agent: string | null;
};

export type Sessions = {
  /** Makes a session for a person in force and gives the cookie's value. Audited. */
  begin(session: NewSession): Promise<string>;
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

  const find = (value: string) => findSession(prisma, value, new Date(clock()));

  function forget(which: { readonly personId?: string; readonly sessionId?: string }): void {
    generation += 1;
    for (const [key, { viewer }] of kept)
      if (viewer.personId === which.personId || viewer.sessionId === which.sessionId) kept.delete(key);
  }

  async function viewerOf(value: string, address: string): Promise<Viewer | null> {
    const key = `${hashOf(value)} ${address}`;
    const known = kept.get(key);
    if (known && known.until > clock()) return known.viewer;
    kept.delete(key);
    const before = generation;
    const session = await find(value);
    if (!session) return null;
    await touchSession(store, session);
    const viewer = await readViewer(prisma, session, cutAddress(address), new Date(clock()));
    if (kept.size >= MOST_KEPT) kept.clear();
    const until = Math.min(clock() + CACHE_MS, session.expires.getTime(), session.idleUntil.getTime());
    if (generation === before) kept.set(key, { viewer, until });
    return viewer;
  }

  return {
    find,
    forget,
    viewerOf,
    begin: (session) => beginSession(store, session),
    async end(value) {
      const ended = await endSession(store, value);
      if (ended) forget({ sessionId: ended });
    },
    async touch(sessionId) {
      const where = { id: sessionId, ...inForce(new Date(clock())) };
      const session = await prisma.session.findFirst({ where, select: FOUND });
      if (session) await touchSession(store, session);
    },
  };
}

async function beginSession(store: RightsStore, { person, ...from }: NewSession): Promise<string> {
  const now = store.clock();
  const expires = now + SESSION_MS;
  const idles = await isStaff(store.prisma, person.id, new Date(now));
  const value = newCookieValue();
  const id = newId();
  const address = cutAddress(from.address);
  const actor = { personId: person.id, schoolId: person.schoolId, sessionId: id, address };
  await store.audit.write(actor, { action: 'signed in' });
  await store.prisma.session.create({
    data: {
      id,
      sessionToken: hashOf(value),
      userId: person.id,
      expires: new Date(expires),
      idleUntil: new Date(idles ? now + STAFF_IDLE_MS : expires),
      lastSeenAt: new Date(now),
      address,
      agent: from.agent?.slice(0, 200) ?? null,
    },
  });
  return value;
}

async function touchSession({ prisma, clock }: RightsStore, session: FoundSession): Promise<void> {
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

/** Deletes the row and tells every node; gives the session's id, null where there was none. */
async function endSession(store: RightsStore, value: string): Promise<string | null> {
  const session = await store.prisma.session.findUnique({
    where: { sessionToken: hashOf(value) },
    select: { id: true, address: true, user: { select: { id: true, schoolId: true } } },
  });
  if (!session) return null;
  const { id: personId, schoolId } = session.user;
  await changeRights(
    store,
    { personId, schoolId, sessionId: session.id, address: session.address ?? '' },
    { action: 'signed out' },
    { kind: 'session-ended', personId, sessionId: session.id },
    [store.prisma.session.deleteMany({ where: { id: session.id } })],
  );
  return session.id;
}
