import type { Viewer } from './access/viewer.ts';
import type { Archive } from './archive/archive.ts';
import type { AppErrorCode } from './errors.ts';
import { AppError } from './errors.ts';

/** One line of the audit: who looked at, or changed, what. Never content. */
export type AuditLine = {
  readonly action: string;
  readonly classroomId?: string;
  readonly subjectId?: string;
  readonly subjectKind?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Who acts, as far as the audit notes it. */
export type Actor = Pick<Viewer, 'personId' | 'sessionId' | 'schoolId' | 'address'>;

/** The server itself, where no person asked for a change. */
export const systemActor = (schoolId: string): Actor => ({
  personId: 'system',
  sessionId: '',
  schoolId,
  address: '',
});

export type Audit = {
  /** Resolves when the line is durable; throws `unavailable` when it cannot be, and then the look must not happen. */
  write(actor: Actor, line: AuditLine): Promise<void>;
};

/** The audit is a stream of the archive: appended, synced and ordered like events (access.md §10). */
export function archiveAudit(archive: Archive, clock: () => number): Audit {
  return {
    write(actor, line) {
      const body = {
        actor: actor.personId,
        session: actor.sessionId,
        school: actor.schoolId,
        address: actor.address,
        ...line,
      };
      return new Promise((resolve, reject) => {
        archive.append([{ k: 'audit', t: clock(), b: body }], (refused) => {
          if (refused === null) resolve();
          else reject(unavailable(refused));
        });
      });
    },
  };
}

function unavailable(refused: AppErrorCode): AppError {
  return new AppError('unavailable', `the audit cannot be written now: ${refused}`, { retryAfterMs: 2000 });
}
