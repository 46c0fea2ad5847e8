import { AppError } from '#server/errors.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import type { Notices } from '#server/notices/notices.ts';
import type { Access } from './access.ts';
import { watchAccessChanges } from './access-changes.ts';
import type { Denial } from './denials.ts';
import { isPermit, makePermit, type Permit, type Subject } from './permit.ts';
import { administers, findClassBetween, seesOwnData, teaches } from './questions.ts';
import { readClassroom, readStudents } from './read-facts.ts';
import type { Action, Viewer } from './viewer.ts';

const PERMIT_MS = 30_000;
/** Under the five seconds within which a revocation has to act. */
const POLL_MS = 4_000;

export type AccessOptions = {
  readonly pollMs?: number;
  readonly onError?: (error: unknown) => void;
  /** Hears each *no* after it was said (denials.ts). */
  readonly onDenied?: (viewer: Viewer, denial: Denial) => Promise<void>;
};

/** One answer for *no* and for *is not there*. */
const notFound = () => new AppError('not-found', 'there is nothing here for you');

/** The one place that decides who sees whom. `poll` reads changes now, `close` ends the timer. */
export function openAccess(
  prisma: PrismaClient,
  notices: Notices,
  clock: () => number,
  options: AccessOptions = {},
): Access & { poll(): Promise<void>; close(): void } {
  const onError = options.onError ?? (() => {});
  const { onChange, poll, close } = watchAccessChanges(prisma, notices, {
    pollMs: options.pollMs ?? POLL_MS,
    onError,
  });
  const now = () => new Date(clock());

  function deny(viewer: Viewer, denial: Denial): AppError {
    options.onDenied?.(viewer, denial).catch(onError);
    return notFound();
  }

  function permit<S extends Subject>(
    subject: S,
    viewer: Viewer,
    action: Action,
    id: string,
    through: string | null,
  ): Permit<S> {
    const { personId: viewerId, sessionId } = viewer;
    const until = clock() + PERMIT_MS;
    return makePermit<S>({ subject, id, classroomId: through, viewerId, sessionId, action, until });
  }

  const check: Access['check'] = (given) => {
    if (!isPermit(given) || given.until <= clock()) throw notFound();
  };

  return {
    async toClass(viewer, id, action) {
      if (await teaches(prisma, viewer, id, action, now())) return permit('class', viewer, action, id, id);
      throw deny(viewer, { subject: 'class', id, action });
    },
    async toStudent(viewer, id, action, classroomId) {
      if (id === viewer.personId && action !== 'change') {
        if (await seesOwnData(prisma, viewer, now())) return permit('student', viewer, action, id, null);
      } else {
        const asked = { studentId: id, classroomId, action };
        const through = await findClassBetween(prisma, viewer, asked, now());
        if (through !== null) return permit('student', viewer, action, id, through);
      }
      throw deny(viewer, { subject: 'student', id, action, ...(classroomId ? { classroomId } : {}) });
    },
    async toSchool(viewer, id, _duty) {
      if (await administers(prisma, viewer, id, now())) return permit('school', viewer, 'change', id, null);
      throw deny(viewer, { subject: 'school', id, action: 'change' });
    },
    async studentsOf(given) {
      check(given);
      return readStudents(prisma, given, now());
    },
    async classroomOf(given) {
      check(given);
      const found = await readClassroom(prisma, given, now());
      if (!found) throw notFound();
      return found;
    },
    ...{ check, onChange, poll, close },
  };
}
