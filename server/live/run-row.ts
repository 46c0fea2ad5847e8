import type { Classroom, Query, Read, Reducer, Student, Trouble } from '#modules/kit/index.ts';
import type { AskService } from '#server/services/ask.ts';
import { type StateKey, stateKey } from '#server/state/state-key.ts';
import type { States } from '#server/stream/owner.ts';
import type { Json, Row } from './protocol.ts';

export const ROW_BYTES = 8 * 1024;
/** Of a query that shows text, for a whole class. */
export const TEXT_ROW_BYTES = 64 * 1024;
/** Of the one row of a student's page: it shows whole texts, which travel once and then as splices. */
export const STUDENT_ROW_BYTES = 1024 * 1024;

/** Of a row's lists most are empty: one for all, in which a module that is handed rows can leave nothing for another school. */
const EMPTY = Object.freeze<Json[]>([]) as Json;

export type RowRun = {
  readonly query: Query;
  readonly classroom: Classroom;
  readonly student: Student;
  readonly params: unknown;
  readonly states: Pick<States, 'held' | 'read'>;
  readonly ask: AskService;
  readonly maxBytes: number;
  readonly now: () => number;
  /** Hears each key before it is read, so that no change can slip between the two. */
  readonly onRead: (key: StateKey) => void;
};
/** `row` is undefined when there is none to show: the query threw, or gave something that may not be sent. */
export type RowResult = {
  readonly row?: Row;
  readonly trouble?: Trouble;
  /** Why there is no row, for the log; never what the query said, which may quote a student's text. */
  readonly reason?: 'threw' | 'not-json' | 'too-big' | 'splice-like' | 'service';
};

/** Runs one student's row. Never rejects: what goes wrong is told as trouble of this row. */
export async function runRow(run: RowRun): Promise<RowResult> {
  const seen = { haltedAt: undefined as number | undefined, failedAt: undefined as number | undefined };
  let fields: object;
  try {
    fields = await run.query.row({
      student: run.student,
      classroom: run.classroom,
      params: run.params,
      read: boundRead(run, (at) => {
        seen.haltedAt = Math.min(at, seen.haltedAt ?? at);
      }),
      ask: async (service, input) => {
        const answer = await run.ask(service, input, run.onRead);
        if (answer.failedAt !== undefined)
          seen.failedAt = Math.min(answer.failedAt, seen.failedAt ?? Number.POSITIVE_INFINITY);
        return answer.value;
      },
    });
  } catch {
    return { ...troubleOf(seen, run.now()), reason: 'threw' };
  }
  const made = asRow(fields, run);
  if (!('row' in made)) return { ...troubleOf(seen, run.now()), ...made };
  if (seen.haltedAt === undefined && seen.failedAt === undefined) return made;
  const { haltedAt, failedAt } = seen;
  return {
    ...made,
    ...troubleOf(seen, run.now()),
    ...(haltedAt === undefined && failedAt !== undefined ? { reason: 'service' as const } : {}),
  };
}

/** A state that stands still explains more than what follows from it. */
function troubleOf(
  seen: { readonly haltedAt: number | undefined; readonly failedAt: number | undefined },
  now: number,
): { readonly trouble: Trouble } {
  if (seen.haltedAt !== undefined) return { trouble: { code: 'stopped', since: seen.haltedAt } };
  return { trouble: { code: 'unavailable', since: seen.failedAt ?? now } };
}

/**
 * Bound to the row's student, whatever fields the query passes. The one cast: kit's `Read` takes the rest of a key by
 * the reducer's own scope, here it is a record of strings.
 */
function boundRead(run: RowRun, onHalt: (at: number) => void): Read {
  const readLater = async (reducer: Reducer, fields: Readonly<Record<string, string>>) => {
    run.onRead(stateKey(reducer, fields));
    const { state, halt } = await run.states.read(reducer, fields);
    if (halt !== null) onHalt(halt.at);
    return state;
  };
  const { id: student } = run.student;
  const own = { student };
  const read = (reducer: Reducer, rest?: Readonly<Record<string, string>>) => {
    const fields = rest ? { ...rest, student } : own;
    const held = run.states.held(reducer, fields);
    if (held === null) return readLater(reducer, fields);
    run.onRead(held.key);
    if (held.halt !== null) onHalt(held.halt.at);
    return Promise.resolve(held.state);
  };
  return read as Read;
}

/** Through JSON, so that what is compared here is what the browser holds. `student` is ours, whatever the query gave. */
function asRow(
  fields: object,
  run: RowRun,
): { readonly row: Row } | { readonly reason: 'not-json' | 'too-big' | 'splice-like' } {
  const { id, name } = run.student;
  const text = toJson({ ...fields, student: { id, name } });
  if (text === undefined) return { reason: 'not-json' };
  if (Buffer.byteLength(text) > run.maxBytes) return { reason: 'too-big' };
  const row = JSON.parse(text) as { -readonly [Name in keyof Row]: Row[Name] };
  for (const field in row) {
    const value = row[field] as Json;
    if (looksLikeSplice(value)) return { reason: 'splice-like' };
    if (Array.isArray(value) && value.length === 0) row[field] = EMPTY;
  }
  return { row };
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function looksLikeSplice(value: Json): boolean {
  return typeof value === 'object' && value !== null && '$' in value && Object.keys(value).length === 1;
}
