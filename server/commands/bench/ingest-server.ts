import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as SocketServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { googleDocs } from '#modules/google-docs/events.ts';
import { defineModule, defineQuery, defineReducer, keyField, scope, student } from '#modules/kit/index.ts';
import type { ArchivedEvent } from '#server/archive/entry.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { lowerHelperThreads } from '#server/helper-threads.ts';
import { hashesForEntry, hashOf, systemClock } from '#server/ingest/core.ts';
import type { Identify } from '#server/ingest/identity.ts';
import { openIngest } from '#server/ingest/ingest.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from '#server/ingest/learning-observer-socket.ts';
import { DEFAULT_LIMITS } from '#server/ingest/limits.ts';
import { openRecorder } from '#server/ingest/record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from '#server/ingest/socket.ts';
import { openLive } from '#server/live/live.ts';
import { addClass, openSchool, viewer } from '#server/live/school.bench.ts';
import { attachLive } from '#server/live/socket.ts';
import { buildRegistry } from '#server/registry.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';

/** What the server process tells the load process, and the reverse. */
export type FromServer = { readonly port: number } | { readonly cpuMs: number; readonly events: number };

export const DASHBOARDS = 20;
export const CLASS_SIZE = 30;
export const ORIGIN = 'http://bench.test';
const UNLIMITED = Number.MAX_SAFE_INTEGER;

const silent = { info() {}, warn() {}, error() {} };
const doc = keyField('doc', (event: { doc_id: string }) => event.doc_id);
const of = scope(student);

/** Five listeners, as delivery.md §15 counts them: an integer, a time, a map, a key of two fields, a short list. */
const count = defineReducer({
  name: 'count',
  source: googleDocs,
  scope: of,
  initial: 0,
  on: { google_docs_save: (n) => n + 1 },
});
const lastSave = defineReducer({
  name: 'last-save',
  source: googleDocs,
  scope: of,
  initial: { doc: '', at: 0 },
  on: { google_docs_save: (_state, event) => ({ doc: event.doc_id, at: event.at }) },
});
const commands = defineReducer({
  name: 'commands',
  source: googleDocs,
  scope: of,
  initial: {} as Record<string, number>,
  on: {
    google_docs_save(state, event) {
      const next = { ...state };
      for (const bundle of event.bundles)
        for (const command of bundle.commands) next[command.ty] = (next[command.ty] ?? 0) + 1;
      return next;
    },
  },
});
const perDoc = defineReducer({
  name: 'per-doc',
  source: googleDocs,
  scope: scope(student, doc),
  initial: { saves: 0 },
  on: { google_docs_save: ({ saves }) => ({ saves: saves + 1 }) },
});
const latest = defineReducer({
  name: 'latest',
  source: googleDocs,
  scope: of,
  initial: [] as number[],
  on: { google_docs_save: (times, event) => [...times.slice(-9), event.at] },
});
const pulse = defineQuery({
  name: 'pulse',
  title: 'Who is writing?',
  async row({ read }) {
    const { at } = await read(lastSave);
    return { at, saves: await read(count) };
  },
});
const registry = buildRegistry([
  defineModule({
    name: 'bench',
    title: 'Bench',
    sources: [googleDocs],
    reducers: [count, lastSave, commands, perDoc, latest],
    queries: [pulse],
  }),
]);

/** Answers every frame without looking at it: what `ws` alone can do. */
function serveBaseline(): void {
  const http = createServer();
  const wss = new WebSocketServer({ server: http, perMessageDeflate: false });
  let events = 0;
  wss.on('connection', (ws) => {
    ws.on('message', () => {
      events += 1;
      ws.send('{"type":"stored","upTo":1,"bad":[]}');
    });
  });
  listen(http, () => events);
}

type Parsed = { producer: string; epoch: number; from: number; source: string; events: ArchivedEvent[] };

/**
 * The least that a durable acknowledgement costs over our archive: parsed, its content hashed, written and synced with its
 * group, answered. Nobody is asked who sent it, nothing is checked, deduplicated, folded or shown.
 */
async function openLeast() {
  const archive = await openFileArchive({
    directory: newDirectory(),
    software: 'bench',
    clock: Date.now,
    onFatal,
  });
  let count = 0;
  return {
    events: () => count,
    settled: () => archive.seal(),
    take(text: string, answer: () => void) {
      const { producer, epoch, from, source, events: ev } = JSON.parse(text) as Parsed;
      const h = hashesForEntry(ev.map((event) => hashOf(JSON.stringify(event))).join(''));
      const k = 'batch' as const;
      const draft = { k, t: Date.now(), s: producer, p: producer, e: epoch, f: from, src: source, ev, h };
      archive.append([draft], () => {
        count += ev.length;
        answer();
      });
    },
  };
}

async function serveLeast(): Promise<void> {
  const { take, events, settled } = await openLeast();
  const http = createServer();
  const wss = new WebSocketServer({ server: http, perMessageDeflate: false });
  wss.on('connection', (ws) => {
    ws.on('message', (bytes) => take(String(bytes), () => ws.send('{"type":"stored","upTo":1,"bad":[]}')));
  });
  listen(http, events, settled);
}

async function serveLeastSocketIo(): Promise<void> {
  const { take, events, settled } = await openLeast();
  const http = createServer();
  const io = new SocketServer(http, { ...INGEST_IO_OPTIONS, transports: ['websocket'] });
  io.of('/ingest').on('connection', (socket) => {
    socket.on('m', (text: string, reply: (answer: object) => void) =>
      take(text, () => reply({ type: 'stored', upTo: 1, bad: [] })),
    );
  });
  listen(http, events, settled);
}

function onFatal(error: unknown): never {
  throw error;
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bench-ingest-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function serveOurs(): Promise<void> {
  const directory = newDirectory();
  const clock = Date.now;
  const archive = await openFileArchive({
    directory: join(directory, 'archive'),
    software: 'bench',
    clock,
    onFatal,
  });
  const store = await openFileStore({ folder: join(directory, 'state'), log: silent });
  const owner = openOwner({ archive, store, registry, log: silent, clock });
  await owner.caughtUp();
  const identify: Identify = {
    byToken: async (token) => ({
      student: token,
      school: 's',
      kind: 'verified',
      credential: token,
      expiresAt: null,
    }),
    byCookie: async () => null,
    byClaim: async () => 'claims-off',
  };
  const limits = {
    ...DEFAULT_LIMITS,
    eventsPerSecond: UNLIMITED,
    burst: UNLIMITED,
    bytesPerDay: UNLIMITED,
    provingPerAddress: UNLIMITED,
    handshakesPerAddress: UNLIMITED,
  };
  const rules = { prepare: async () => {}, decide: () => null };
  const recorder = openRecorder({ archive, clock: systemClock });
  const ingest = openIngest({ archive, registry, identify, rules, recorder, limits });
  const http = createServer();
  const io = new SocketServer(http, {
    ...INGEST_IO_OPTIONS,
    transports: ['websocket'],
    destroyUpgrade: false,
  });
  attachIngest({ io, ingest, isIngestOrigin: () => false });
  const edge = openLearningObserverEdge({
    wss: new WebSocketServer(OBSERVER_WS_OPTIONS),
    ingest,
    isIngestOrigin: () => false,
  });
  http.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/wsapi/in')) edge.upgrade(request, socket, head);
  });
  const school = openSchool();
  for (let i = 0; i < DASHBOARDS; i++) {
    addClass(
      school,
      `c${i}`,
      [`t${i}`],
      Array.from({ length: CLASS_SIZE }, (_, n) => `s${i * CLASS_SIZE + n}`),
    );
  }
  const live = openLive({
    registry,
    states: owner.states,
    access: school.access,
    audit: { write: async () => {} },
    clock,
    record: (event) => new Promise((done) => recorder.record(event, done)),
    log: silent,
  });
  attachLive({ io, live, viewerOf: async (cookie) => viewer(cookie ?? ''), ownOrigins: new Set([ORIGIN]) });
  listen(
    http,
    () => ingest.counts().edges.socket.stored,
    async () => {
      await owner.flush();
      await archive.seal();
    },
  );
}

/** `settled`: what was put off is done, so that it counts here and disturbs no other server's round. */
function listen(
  http: ReturnType<typeof createServer>,
  events: () => number,
  settled: () => Promise<void> = async () => {},
): void {
  http.listen(0, '127.0.0.1', 4_096, () => {
    const { port } = http.address() as AddressInfo;
    tell({ port });
  });
  process.on('message', async () => {
    await settled();
    const { user, system } = process.cpuUsage();
    tell({ cpuMs: (user + system) / 1000, events: events() });
  });
  process.on('disconnect', () => process.exit());
}

function tell(message: FromServer): void {
  process.send?.(message);
}

if (process.argv[2]) lowerHelperThreads();
if (process.argv[2] === 'baseline') serveBaseline();
else if (process.argv[2] === 'least') await serveLeast();
else if (process.argv[2] === 'least-socketio') await serveLeastSocketIo();
else if (process.argv[2] === 'ours') await serveOurs();
