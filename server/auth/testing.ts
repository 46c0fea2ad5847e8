import { openAccess } from '#server/access/open-access.ts';
import type { Viewer } from '#server/access/viewer.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { archiveAudit } from '#server/audit.ts';
import type { Database } from '#server/database.ts';
import { openMemoryDatabase } from '#server/database-embedded.ts';
import type { Prisma } from '#server/generated/prisma/client.ts';
import { newId } from '#server/new-id.ts';
import type { Notices } from '#server/notices/notices.ts';
import type { RightsStore } from '#server/roster/change-rights.ts';
import { sortNameOf } from '#server/roster/display-names.ts';
import { openRoster } from '#server/roster/open-roster.ts';
import { hashOf, newCookieValue, SESSION_MS } from './cookie.ts';

/** Notices within a test; `cut` loses everything that is published while it is true. */
export function testNotices(): Notices & { cut: boolean } {
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    cut: false,
    publish(topic, message) {
      if (this.cut) return;
      for (const listener of listeners.get(topic) ?? []) listener(message);
    },
    subscribe(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => set.delete(listener);
    },
    close: async () => {},
  };
}

/** A database in memory, an archive in memory and a clock that a test turns: one for each test file. */
export async function openTestPeople() {
  const database: Database = await openMemoryDatabase();
  const { prisma } = database;
  const archive = openMemoryArchive();
  const notices = testNotices();
  const time = { now: Date.now() };
  const clock = () => time.now;
  const store: RightsStore = { prisma, notices, clock, audit: archiveAudit(archive, clock) };
  const access = openAccess(prisma, notices, clock, { pollMs: 3_600_000 });
  await access.poll();
  return {
    ...{ prisma, archive, notices, time, clock, store, access },
    roster: openRoster(store, access),
    make: makers(store),
    async close() {
      access.close();
      await database.close();
    },
  };
}

export type TestPeople = Awaited<ReturnType<typeof openTestPeople>>;

function makers({ prisma, clock }: RightsStore) {
  const yesterday = () => new Date(clock() - 86_400_000);
  return {
    async school(data: Partial<Prisma.SchoolUncheckedCreateInput> = {}): Promise<string> {
      const id = newId();
      await prisma.school.create({
        data: { id, name: 'A school', timezone: 'Europe/Oslo', locale: 'en', ...data },
      });
      return id;
    },
    async person(schoolId: string, data: Partial<Prisma.PersonUncheckedCreateInput> = {}): Promise<string> {
      const { givenName = 'Some', familyName = 'Body' } = data;
      const row = {
        id: newId(),
        schoolId,
        givenName,
        familyName,
        sortName: sortNameOf(givenName, familyName),
      };
      await prisma.person.create({ data: { ...row, ...data } });
      return data.id ?? row.id;
    },
    async classroom(
      schoolId: string,
      data: Partial<Prisma.ClassroomUncheckedCreateInput> = {},
    ): Promise<string> {
      const id = newId();
      await prisma.classroom.create({ data: { id, schoolId, name: 'A class', source: 'hand', ...data } });
      return id;
    },
    async teach(
      classroomId: string,
      personId: string,
      data: Partial<Prisma.TeachingUncheckedCreateInput> = {},
    ): Promise<void> {
      const { schoolId } = await prisma.classroom.findUniqueOrThrow({ where: { id: classroomId } });
      const row = { id: newId(), classroomId, personId, schoolId, as: 'teacher', source: 'hand' };
      await prisma.teaching.create({ data: { ...row, from: yesterday(), ...data } });
    },
    async enroll(
      classroomId: string,
      personId: string,
      data: Partial<Prisma.EnrollmentUncheckedCreateInput> = {},
    ): Promise<void> {
      const { schoolId } = await prisma.classroom.findUniqueOrThrow({ where: { id: classroomId } });
      const row = { id: newId(), classroomId, personId, schoolId, source: 'hand' };
      await prisma.enrollment.create({ data: { ...row, from: yesterday(), ...data } });
    },
    async role(personId: string, schoolId: string, role: string, until: Date | null = null): Promise<void> {
      const row = { id: newId(), personId, schoolId, role, from: yesterday(), until, reason: 'a test' };
      await prisma.roleHolding.create({ data: row });
    },
    /** A viewer with a session in the table, and the cookie's value. */
    async viewer(
      personId: string,
      data: Partial<Prisma.SessionUncheckedCreateInput> = {},
    ): Promise<Viewer & { readonly cookie: string }> {
      const person = await prisma.person.findUniqueOrThrow({ where: { id: personId } });
      const cookie = newCookieValue();
      const expires = new Date(clock() + SESSION_MS);
      const session = {
        id: newId(),
        sessionToken: hashOf(cookie),
        userId: personId,
        expires,
        idleUntil: expires,
      };
      await prisma.session.create({ data: { ...session, ...data } });
      return {
        personId,
        schoolId: person.schoolId,
        name: person.givenName,
        sessionId: session.id,
        roles: [],
        address: '10.0.0.0/24',
        cookie,
      };
    },
  };
}
