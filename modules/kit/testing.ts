import { z } from 'zod';
import type { Envelope, EventOf, EventSource } from './event-source.ts';
import type { Accommodation, Classroom, FrameOf, ParamsOf, Query, RowOf, Student } from './query.ts';
import type { Reducer, ReducerKey, StateOf } from './reducer.ts';

/** The fields of an event as its test writes them: `id` and `at` may be left out, and what the schema fills in too. */
export type EventFields<S extends EventSource, E extends keyof S['events']> = {
  readonly student: string;
  readonly id?: string;
  readonly at?: number;
  readonly sentAt?: number;
} & Body<z.input<S['events'][E]>>;

/** The input of an empty schema is a record of nothing, which would forbid the fields beside it. */
type Body<Input> = string extends keyof Input ? unknown : Input;

/** Folded states, each read by its reducer and key. Absent state reads as `initial`. */
export type States = {
  readonly read: <R extends Reducer>(reducer: R, key: ReducerKey<R>) => StateOf<R>;
  /** JSON of each state by its readable key, in order of the key: what two folds are compared by. */
  readonly bytes: () => Readonly<Record<string, string>>;
  readonly all: ReadonlyMap<string, unknown>;
  /** Every event that reached a reducer's step, emitted ones after what caused them. */
  readonly heard: readonly Envelope[];
};

/** What a query's test may set; `reducers` are those beyond what the query reads, for cascades. */
export type RowsOptions<Q extends Query> = {
  readonly reducers: readonly Reducer[];
  readonly params?: Partial<ParamsOf<Q>>;
  readonly classroom?: Classroom;
};

/** What becomes of a state between two steps. */
export type BetweenSteps = (state: unknown) => unknown;

/** The state as the store gives it back: through JSON. A step that would change it in place throws. */
export function stored(state: unknown): unknown {
  return frozen(roundTrip(state));
}

/** The state as memory keeps it: the very value that the step gave. */
export function inMemory(state: unknown): unknown {
  return frozen(state);
}

const CLASSROOM: Classroom = { id: 'class', name: 'Class', timezone: 'UTC', lessonAt: null };

/** A student for a test, named after the id. */
export function student(id: string, accommodations: readonly Accommodation[] = []): Student {
  return { id, name: id, accommodations };
}

/** Builds one accepted event. The body is parsed by the source's schema, as at the edge; throws a ZodError. */
export function event<S extends EventSource, const E extends keyof S['events'] & string>(
  source: S,
  name: E,
  fields: EventFields<S, E>,
): EventOf<S, E> {
  const { student, id, at = 0, sentAt, ...body } = fields;
  const schema = source.events[name] as z.ZodObject;
  return accepted<S, E>({
    ...schema.parse(body),
    id: id ?? `test:1:${at}`,
    source: source.name,
    event: name,
    student,
    at,
    ...(sentAt === undefined ? {} : { sentAt }),
  });
}

/** Holds because the body was parsed by that event's schema and the envelope is complete. */
function accepted<S extends EventSource, E extends keyof S['events']>(built: Envelope): EventOf<S, E> {
  return built as EventOf<S, E>;
}

/** One reducer: the state that the last event's key reaches (`initial` where none does). Several: all their states. */
export function replay<R extends Reducer>(reducer: R, events: readonly Envelope[]): StateOf<R>;
export function replay(
  reducers: readonly Reducer[],
  events: readonly Envelope[],
  between?: BetweenSteps,
): States;
export function replay(
  over: Reducer | readonly Reducer[],
  events: readonly Envelope[],
  between: BetweenSteps = stored,
): unknown {
  if (!isOne(over)) return statesOf(fold(over, events, between));
  const folded = fold([over], events, between);
  const last = events.findLast(
    (one) => one.source === over.source.name && keyOfEvent(over, one) !== undefined,
  );
  const key = last && keyOfEvent(over, last);
  return key === undefined ? over.initial : (folded.states.get(key) ?? over.initial);
}

function isOne(over: Reducer | readonly Reducer[]): over is Reducer {
  return !Array.isArray(over);
}

/** The rows that a query gives for the students after the events. Services are not asked: `ask` is undefined. */
export async function rowsOf<Q extends Query>(
  query: Q,
  students: readonly Student[],
  events: readonly Envelope[],
  options: RowsOptions<Q>,
): Promise<RowOf<Q>[]> {
  const folded = fold(options.reducers, events, stored);
  const rows = students.map(async (one) => {
    const row = await query.row({
      student: one,
      classroom: options.classroom ?? CLASSROOM,
      params: paramsOf(query, options.params),
      read: readerOf(folded, one),
      ask: async () => undefined,
    });
    return { ...roundTrip(row), student: { id: one.id, name: one.name } };
  });
  return Promise.all(rows) as Promise<RowOf<Q>[]>;
}

/** The frame that a query gives for these rows; null where it has none. */
export function frameOf<Q extends Query>(
  query: Q,
  rows: readonly RowOf<Q>[],
  options: Pick<RowsOptions<Q>, 'params' | 'classroom'> = {},
): FrameOf<Q> {
  const classroom = options.classroom ?? CLASSROOM;
  return roundTrip(query.frame?.({ classroom, params: paramsOf(query, options.params), rows }) ?? null);
}

function paramsOf(query: Query, params: object | undefined): unknown {
  return query.params?.parse(params ?? {});
}

function readerOf(folded: Folded, { id }: Student) {
  return async (reducer: Reducer, rest: Readonly<Record<string, string>> = {}) => {
    if (!folded.reducers.includes(reducer))
      throw new Error(`the query reads ${reducer.name}, which is not among the test's reducers`);
    return folded.states.get(keyOf(reducer, { ...rest, student: id })) ?? reducer.initial;
  };
}

type Folded = {
  readonly reducers: readonly Reducer[];
  readonly states: Map<string, unknown>;
  readonly heard: Envelope[];
  readonly between: BetweenSteps;
};

function statesOf({ states, heard }: Folded): States {
  return {
    all: states,
    read: (reducer, key) => (states.get(keyOf(reducer, key)) ?? reducer.initial) as StateOf<typeof reducer>,
    bytes: () =>
      Object.fromEntries([...states.keys()].sort().map((key) => [key, JSON.stringify(states.get(key))])),
    heard,
  };
}

/** As the server folds: each event's cascade first in first out, listeners in order of their names. */
function fold(reducers: readonly Reducer[], events: readonly Envelope[], between: BetweenSteps): Folded {
  const inOrder = reducers.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const folded: Folded = { reducers: inOrder, states: new Map(), heard: [], between };
  for (const archived of events) {
    const queue = [frozen(archived)];
    for (const one of queue) queue.push(...hear(folded, one));
  }
  return folded;
}

/** Gives what the steps emitted. */
function hear({ reducers, states, heard, between }: Folded, one: Envelope): Envelope[] {
  const emitted: Envelope[] = [];
  for (const reducer of reducers) {
    const step = reducer.source.name === one.source ? reducer.on[one.event] : undefined;
    const key = step && keyOfEvent(reducer, one);
    if (!step || key === undefined) continue;
    if (heard.at(-1) !== one) heard.push(one);
    const before = states.has(key) ? states.get(key) : frozen(reducer.initial);
    const after = step(before, one, emitter(reducer, one, emitted));
    if (after !== before) states.set(key, between(after));
  }
  return emitted;
}

function emitter(reducer: Reducer, parent: Envelope, into: Envelope[]) {
  let count = 0;
  return (name: string, payload: unknown) => {
    const schema = reducer.emits?.events.includes(name) ? reducer.emits.source.events[name] : undefined;
    if (!schema || !reducer.emits) throw new Error(`${reducer.name} emits ${name} and does not declare it`);
    const body = z.strictObject(schema.shape).parse(payload);
    count += 1;
    const { student, at } = parent;
    const id = emittedId(parent.id, reducer.name, name, body, count);
    into.push(frozen({ ...body, id, source: reducer.emits.source.name, event: name, student, at }));
  };
}

/** As the server derives it; a body with an object or a play is known by these, any other by its count in the step. */
function emittedId(
  parent: string,
  reducer: string,
  name: string,
  body: Readonly<Record<string, unknown>>,
  count: number,
): string {
  const isRow = 'objectId' in body || 'playId' in body;
  const row = isRow ? `${body.objectId ?? ''}\n${body.playId ?? ''}` : `${count}\n`;
  // Taken from the process, not imported: the kit's files import nothing but zod.
  const { hash } = process.getBuiltinModule('node:crypto');
  return hash('sha256', `${parent}\n${reducer}\n${name}\n${row}`, 'hex').slice(0, 32);
}

function keyOfEvent(reducer: Reducer, one: Envelope): string | undefined {
  const key: Record<string, string> = {};
  for (const field of reducer.scope.fields) {
    const value = field.from(one);
    if (value === undefined || value === null) return undefined;
    key[field.name] = value;
  }
  return keyOf(reducer, key);
}

function keyOf({ name, version, scope }: Reducer, key: Readonly<Record<string, string>>): string {
  const fields = scope.fields.map((field) => `:${field.name}=${encodeURIComponent(key[field.name] ?? '')}`);
  return `${name}.v${version}${fields.join('')}`;
}

/** States and rows pass through JSON, as they do on their way to the store and to the browser. */
function roundTrip<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}
