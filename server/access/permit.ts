import type { Action } from './viewer.ts';

const made = Symbol('made by server/access');

export type Subject = 'class' | 'student' | 'school';

/**
 * The proof that `server/access` said yes: no other file can make one, since the symbol is private to this folder's
 * use of `makePermit`. Bound to viewer, subject, action and session; good for 30 s.
 */
export type Permit<S extends Subject> = {
  readonly [made]: true;
  readonly subject: S;
  /** Id of the class, student or school. */
  readonly id: string;
  /** For a student: the class through which the viewer sees the student; null for oneself. */
  readonly classroomId: string | null;
  readonly viewerId: string;
  readonly sessionId: string;
  readonly action: Action;
  /** ms; a service refuses a permit past this with `not-found`. */
  readonly until: number;
};

/** Only `server/access` may import this (held by dependency-cruiser). */
export function makePermit<S extends Subject>(fields: Omit<Permit<S>, typeof made>): Permit<S> {
  return Object.freeze({ ...fields, [made]: true as const }) as Permit<S>;
}

/** Whether a value came from `makePermit`, whatever its type claims. */
export function isPermit(value: object): boolean {
  return made in value;
}
