import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import {
  type Classroom,
  defineEventSource,
  defineQuery,
  defineReducer,
  type Query,
  type Reducer,
  type Student,
  scope,
  student,
} from '#modules/kit/index.ts';
import type { Access, AccessChange } from '#server/access/access.ts';
import type { Permit, Subject } from '#server/access/permit.ts';
import type { Viewer } from '#server/access/viewer.ts';
import type { AuditLine } from '#server/audit.ts';
import { AppError } from '#server/errors.ts';
import type { Log } from '#server/log.ts';
import { buildRegistry } from '#server/registry.ts';
import { type StateKey, stateKey } from '#server/state/state-key.ts';
import type { Halt, States } from '#server/stream/owner.ts';
import { type Live, type LiveParts, openLive, type RecordEvent } from './live.ts';
import type { Asked, Delta, Told } from './protocol.ts';
import { attachLive, type LiveEdge } from './socket.ts';

/** A small school for the tests and the benchmark of `live`: rights and states are written out here, by hand. */
export type School = {
  readonly access: Access & { tell(change: AccessChange): void };
  readonly classes: Map<string, { classroom: Classroom; teachers: Set<string>; students: Student[] }>;
  /** Thrown in place of any answer, as when the database is away. */
  down: Error | null;
};

export function openSchool(): School {
  const classes: School['classes'] = new Map();
  const listeners = new Set<(change: AccessChange) => void>();
  const no = () => {
    throw school.down ?? new AppError('not-found', 'nothing here');
  };
  const classOf = (id: string | null) => classes.get(id ?? '') ?? no();
  const access: School['access'] = {
    async toClass(viewer, id) {
      if (school.down || !classes.get(id)?.teachers.has(viewer.personId)) no();
      return handPermit('class', id, id);
    },
    async toStudent(viewer, id, action, classroomId) {
      const found = classes.get(classroomId ?? '');
      const isOwn = viewer.personId === id && action !== 'change';
      const isThere = found?.students.some((one) => one.id === id) ?? false;
      if (school.down || !isThere || !(isOwn || found?.teachers.has(viewer.personId))) no();
      return handPermit('student', id, classroomId ?? null);
    },
    async toSchool() {
      return no();
    },
    async studentsOf(one) {
      const { students } = classOf(one.classroomId);
      return one.subject === 'class' ? [...students] : students.filter(({ id }) => id === one.id);
    },
    async classroomOf(one) {
      return classOf(one.classroomId).classroom;
    },
    check() {},
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(change) {
      for (const listener of listeners) listener(change);
    },
  };
  const school: School = { access, classes, down: null };
  return school;
}

/** Permits are made by `server/access` alone; this one means something to the hand-written `access` above and to nothing else. */
function handPermit<S extends Subject>(subject: S, id: string, classroomId: string | null): Permit<S> {
  return { subject, id, classroomId } as unknown as Permit<S>;
}

export function addClass(
  school: School,
  id: string,
  teachers: readonly string[],
  students: readonly string[],
) {
  school.classes.set(id, {
    classroom: { id, name: `Class ${id}`, timezone: 'Europe/Berlin', lessonAt: null },
    teachers: new Set(teachers),
    students: students.map((one) => ({ id: one, name: one.toUpperCase() })),
  });
}

export function viewer(personId: string): Viewer {
  return {
    personId,
    schoolId: 's',
    name: personId,
    sessionId: `of-${personId}`,
    roles: [],
    address: '127.0.0.0',
  };
}

/** States that a test sets by hand. */
export type HandStates = States & {
  set(reducer: Reducer, student: string, state: unknown): void;
  halt(reducer: Reducer, student: string, halt: Halt): void;
  /** What is read meanwhile is answered, as it was then, when this resolves. */
  hold(until: Promise<void> | null): void;
  readonly notReady: Set<string>;
};

export function openHandStates(): HandStates {
  const states = new Map<StateKey, unknown>();
  const halts = new Map<StateKey, Halt>();
  const listeners = new Set<(student: string, keys: readonly StateKey[]) => void>();
  const notReady = new Set<string>();
  let held: Promise<void> | null = null;
  const tell = (who: string, key: StateKey) => {
    for (const listener of listeners) listener(who, [key]);
  };
  return {
    notReady,
    held: () => null,
    async read(reducer, fields) {
      const key = stateKey(reducer, fields);
      const found = { state: (states.get(key) ?? reducer.initial) as never, halt: halts.get(key) ?? null };
      if (held) await held;
      return found;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isReady: (who) => !notReady.has(who),
    set(reducer, who, state) {
      const key = stateKey(reducer, { student: who });
      states.set(key, state);
      tell(who, key);
    },
    halt(reducer, who, halt) {
      const key = stateKey(reducer, { student: who });
      halts.set(key, halt);
      tell(who, key);
    },
    hold(until) {
      held = until;
    },
  };
}

const source = defineEventSource({ name: 'test', events: {} });
export type Note = { readonly words: number; readonly text: string; readonly draft?: string };
export const note = defineReducer({
  name: 'note',
  source,
  scope: scope(student),
  initial: { words: 0, text: '' } as Note,
  on: {},
});

/** Draws the note as it is; `runs` counts how often each student's row ran. */
export function countedQuery(name = 'notes') {
  const runs = new Map<string, number>();
  const query = defineQuery({
    name,
    title: 'What is noted?',
    async row({ student: { id }, read }) {
      runs.set(id, (runs.get(id) ?? 0) + 1);
      return { ...(await read(note)), kind: 'note' };
    },
  });
  return { query, runs };
}

export const silent: Log = { info() {}, warn() {}, error() {} };

export type Bench = {
  readonly school: School;
  readonly states: HandStates;
  readonly live: Live;
  readonly edge: LiveEdge;
  readonly audited: (AuditLine & { readonly actor: string })[];
  readonly recorded: Parameters<RecordEvent>[0][];
  readonly sessions: Map<string, Viewer>;
  readonly url: string;
  /** The server's ends of the open connections. */
  sockets(): readonly ServerSocket[];
  /** Cuts every connection without a word. */
  cut(): void;
  /** Sends every dashboard what the server never would. */
  forge(delta: Delta): void;
  connect(person: string, headers?: Record<string, string>): Client;
  close(): Promise<void>;
};
export type Client = Socket<Told, Asked>;

export const OWN_ORIGIN = 'http://here.test';

/** A real Socket.IO server on a free port of loopback, with `/live` on it. */
export async function openBench(queries: readonly Query[], given: Partial<LiveParts> = {}): Promise<Bench> {
  const school = openSchool();
  const states = openHandStates();
  const audited: Bench['audited'] = [];
  const recorded: Bench['recorded'] = [];
  const sessions = new Map<string, Viewer>();
  const live = openLive({
    registry: buildRegistry([{ name: 'test', title: 'Test', queries }]),
    states,
    access: school.access,
    audit: {
      async write(who, line) {
        audited.push({ ...line, actor: who.personId });
      },
    },
    clock: Date.now,
    record: async (event) => {
      recorded.push(event);
    },
    log: silent,
    ...given,
  });
  const http = createServer();
  const server = new Server(http, { perMessageDeflate: false, serveClient: false });
  const edge = attachLive({
    io: server,
    live,
    viewerOf: async (cookie) => sessions.get(cookie ?? '') ?? null,
    ownOrigins: new Set([OWN_ORIGIN]),
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/live`;
  const clients: Client[] = [];
  return {
    url,
    sockets: () => [...server.of('/live').sockets.values()],
    cut() {
      for (const socket of server.of('/live').sockets.values()) socket.conn.close();
    },
    forge: (delta) => void server.of('/live').emit('rows', delta),
    school,
    states,
    live,
    edge,
    audited,
    recorded,
    sessions,
    connect(person, headers = {}) {
      sessions.set(person, sessions.get(person) ?? viewer(person));
      const client: Client = io(url, {
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        extraHeaders: { cookie: person, origin: OWN_ORIGIN, ...headers },
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.disconnect();
      edge.close();
      live.close();
      await server.close();
    },
  };
}
