import type { Connection } from './core.ts';
import type { Pushed } from './protocol.ts';

/** What an edge lets the core do with its socket. */
export type Peer = {
  push<E extends keyof Pushed>(event: E, message: Parameters<Pushed[E]>[0]): void;
  pause(): void;
  resume(): void;
  close(code: number): void;
};

/** A connection as the edges hold it: known to the core from `open` to `close`. */
export type OpenConnection = Connection & {
  readonly peer: Peer;
  lastHeardAt: number;
  isPaused: boolean;
  isRecorded: boolean;
  /** Told to stop; counts no more. */
  isEnding: boolean;
  readonly client: Readonly<Record<string, string>> | undefined;
};

/** Open connections of each student. */
export type ByStudent = Map<string, Set<OpenConnection>>;

export function ofStudent(students: ByStudent, connection: OpenConnection): Set<OpenConnection> {
  const { student } = connection.identity;
  const known = students.get(student);
  if (known) return known;
  const made = new Set<OpenConnection>();
  students.set(student, made);
  return made;
}

export function leaveStudent(students: ByStudent, connection: OpenConnection): void {
  const { student } = connection.identity;
  const known = students.get(student);
  known?.delete(connection);
  if (known?.size === 0) students.delete(student);
}
