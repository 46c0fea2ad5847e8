import type { Access } from '#server/access/access.ts';
import type { Permit } from '#server/access/permit.ts';
import type { Actor } from '#server/audit.ts';
import { AppError } from '#server/errors.ts';
import { addEnrollment } from './add-enrollment.ts';
import { actorOf, type RightsStore } from './change-rights.ts';
import { listClassrooms, listOwnClassrooms } from './list-classrooms.ts';
import { findStudent, listStudents } from './list-students.ts';
import { removeEnrollment } from './remove-enrollment.ts';
import type { Roster } from './roster.ts';

const notFound = () => new AppError('not-found', 'there is nothing here for you');

/** People and classes. Every function checks its permit first; those that change want one for `change`. */
export function openRoster(store: RightsStore, access: Pick<Access, 'check'>): Roster {
  const { prisma, clock } = store;
  const now = () => new Date(clock());

  async function actorFor(permit: Permit<'class'>): Promise<Actor> {
    access.check(permit);
    const actor = permit.action === 'change' ? await actorOf(prisma, permit) : null;
    if (!actor) throw notFound();
    return actor;
  }

  return {
    listClassrooms: (viewer) => listClassrooms(prisma, viewer, now()),
    listOwnClassrooms: (viewer) => listOwnClassrooms(prisma, viewer, now()),
    async listStudents(permit) {
      access.check(permit);
      return listStudents(prisma, permit, now());
    },
    async getStudent(permit) {
      access.check(permit);
      const found = await findStudent(prisma, permit);
      if (!found) throw notFound();
      return found;
    },
    async removeEnrollment(permit, studentId) {
      await removeEnrollment(store, await actorFor(permit), permit.id, studentId);
    },
    async addEnrollment(permit, studentId) {
      await addEnrollment(store, await actorFor(permit), permit.id, studentId, 'hand');
    },
  };
}
