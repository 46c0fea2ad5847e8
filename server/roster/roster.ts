import type { Permit } from '#server/access/permit.ts';
import type { Viewer } from '#server/access/viewer.ts';

export type ClassroomSummary = {
  readonly id: string;
  readonly name: string;
  readonly section: string | null;
  readonly subject: string | null;
  readonly as: 'teacher' | 'co-teacher' | 'aide';
  readonly studentCount: number;
  readonly teachers: readonly string[];
};
export type RosterStudent = {
  readonly id: string;
  readonly name: string;
  readonly familyName: string;
  readonly givenName: string;
  readonly email: string | null;
  readonly since: number;
  readonly source: string;
};

/** People and classes, as pages read them. Adapter: Prisma. */
export type Roster = {
  /** Active classes that the viewer teaches, by name. */
  listClassrooms(viewer: Viewer): Promise<readonly ClassroomSummary[]>;
  /** Classes that the viewer is enrolled in. */
  listOwnClassrooms(
    viewer: Viewer,
  ): Promise<readonly { readonly id: string; readonly name: string; readonly teachers: readonly string[] }[]>;
  listStudents(permit: Permit<'class'>): Promise<readonly RosterStudent[]>;
  getStudent(
    permit: Permit<'student'>,
  ): Promise<{ readonly id: string; readonly name: string; readonly fullName: string }>;
  /** Ends an enrolment (`until = now`): the student's row leaves open channels within 5 s. */
  removeEnrollment(permit: Permit<'class'>, studentId: string): Promise<void>;
  addEnrollment(permit: Permit<'class'>, studentId: string): Promise<void>;
};
