import type { Classroom, Student } from '#modules/kit/index.ts';
import type { Permit } from './permit.ts';
import type { Action, Viewer } from './viewer.ts';

/** The one place that decides who sees whom (access.md §1, §3). Each question throws `not-found` for *no* and for *is not there* alike. */
export type Access = {
  toClass(viewer: Viewer, classroomId: string, action: Action): Promise<Permit<'class'>>;
  /** `classroomId`: the class through which the viewer looks; absent: any class that the sentence admits, or oneself. */
  toStudent(
    viewer: Viewer,
    studentId: string,
    action: Action,
    classroomId?: string,
  ): Promise<Permit<'student'>>;
  toSchool(viewer: Viewer, schoolId: string, duty: 'admin'): Promise<Permit<'school'>>;
  /** The only list of students that a channel may draw, in roster order. */
  studentsOf(permit: Permit<'class'> | Permit<'student'>): Promise<readonly Student[]>;
  classroomOf(permit: Permit<'class'> | Permit<'student'>): Promise<Classroom>;
  /** Throws `not-found` when the permit is older than 30 s. Services call it before they hand anything out. */
  check(permit: Permit<'class'> | Permit<'student'> | Permit<'school'>): void;
  /** Hears changes of roster, role, session and settings within 5 s: whom and which class to ask about again. */
  onChange(listener: (change: AccessChange) => void): () => void;
};

export type AccessChange = {
  readonly kind: 'roster' | 'class' | 'role' | 'session-ended' | 'person' | 'setting';
  readonly personId?: string;
  readonly classroomId?: string;
  readonly sessionId?: string;
};
