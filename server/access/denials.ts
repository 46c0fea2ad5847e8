import type { Audit } from '#server/audit.ts';
import type { PrismaClient } from '#server/generated/prisma/client.ts';
import type { Action, Viewer } from './viewer.ts';

/** What a viewer asked for and did not get. */
export type Denial = {
  readonly subject: 'class' | 'student' | 'school';
  readonly id: string;
  readonly classroomId?: string;
  readonly action: Action;
};

const ALARM_AT = 20;
const WINDOW_MS = 10 * 60_000;

/**
 * Writes an audit line for each denied look at what exists, and raises the alarm at 20 in 10 minutes by one viewer.
 * Runs after the answer: whether the subject exists must not show in the time that the answer takes.
 */
export function watchDenials(
  prisma: PrismaClient,
  audit: Audit,
  clock: () => number,
  onAlarm: (viewer: Viewer, count: number) => void,
): (viewer: Viewer, denial: Denial) => Promise<void> {
  const recent = new Map<string, number[]>();

  function count(viewer: Viewer): void {
    const now = clock();
    const times = (recent.get(viewer.personId) ?? []).filter((time) => time > now - WINDOW_MS);
    times.push(now);
    recent.set(viewer.personId, times);
    if (times.length === ALARM_AT) onAlarm(viewer, times.length);
    if (recent.size > 1000)
      for (const [id, list] of recent) if ((list.at(-1) ?? 0) <= now - WINDOW_MS) recent.delete(id);
  }

  return async (viewer, { subject, id, classroomId, action }) => {
    if (!(await exists(prisma, subject, id))) return;
    count(viewer);
    await audit.write(viewer, {
      action: 'look denied',
      subjectKind: subject,
      subjectId: id,
      ...(classroomId === undefined ? {} : { classroomId }),
      detail: { asked: action },
    });
  };
}

async function exists(prisma: PrismaClient, subject: Denial['subject'], id: string): Promise<boolean> {
  const found = { where: { id }, select: { id: true } };
  if (subject === 'class') return (await prisma.classroom.findUnique(found)) !== null;
  if (subject === 'school') return (await prisma.school.findUnique(found)) !== null;
  return (await prisma.person.findUnique(found)) !== null;
}
