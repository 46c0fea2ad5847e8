import type { AccessChange } from '#server/access/access.ts';
import { announce, changeRow } from '#server/access/access-changes.ts';
import type { Actor, Audit, AuditLine } from '#server/audit.ts';
import type { Prisma, PrismaClient } from '#server/generated/prisma/client.ts';
import type { Notices } from '#server/notices/notices.ts';

export type RightsStore = {
  readonly prisma: PrismaClient;
  readonly audit: Audit;
  readonly notices: Notices;
  readonly clock: () => number;
};

/**
 * Every change of who may see whom goes through here: the audit entry is durable first, then one transaction holds the
 * change, its `AuditLine` and its `AccessChange`, then every process is told. Fails as a whole; a second audit entry then says so.
 */
export async function changeRights(
  store: RightsStore,
  actor: Actor,
  line: AuditLine,
  change: AccessChange,
  statements: readonly Prisma.PrismaPromise<unknown>[],
): Promise<void> {
  const { prisma, audit, notices } = store;
  await audit.write(actor, line);
  const at = new Date(store.clock());
  try {
    const [told] = await prisma.$transaction([
      prisma.accessChange.create({
        data: { ...changeRow(actor.schoolId, change), at },
        select: { seq: true },
      }),
      prisma.auditLine.create({ data: { ...indexRow(actor, line), at }, select: { seq: true } }),
      ...statements,
    ]);
    announce(notices, told.seq, change);
  } catch (error) {
    await audit.write(actor, { ...line, action: `${line.action} failed` });
    throw error;
  }
}

function indexRow(actor: Actor, line: AuditLine): Prisma.AuditLineUncheckedCreateInput {
  return {
    schoolId: actor.schoolId,
    actorId: actor.personId,
    sessionId: actor.sessionId || null,
    action: line.action,
    subjectKind: line.subjectKind ?? null,
    subjectId: line.subjectId ?? null,
    classroomId: line.classroomId ?? null,
    detail: { ...line.detail } as Prisma.InputJsonObject,
    address: actor.address || null,
  };
}

/** Who holds a permit, for the audit: read from the session that the permit is bound to. */
export async function actorOf(
  prisma: PrismaClient,
  permit: { readonly viewerId: string; readonly sessionId: string },
): Promise<Actor | null> {
  const found = await prisma.session.findUnique({
    where: { id: permit.sessionId, userId: permit.viewerId },
    select: { address: true, user: { select: { schoolId: true } } },
  });
  return (
    found && {
      personId: permit.viewerId,
      sessionId: permit.sessionId,
      schoolId: found.user.schoolId,
      address: found.address ?? '',
    }
  );
}
