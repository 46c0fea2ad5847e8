/** The server of the fuzz test as a process of its own: all edges over a real archive, without pages and database. It speaks to whoever started it. */
import { readdirSync } from 'node:fs';
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server as SocketServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { blob } from '#modules/kit/index.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { parseIngestKey } from '#server/auth/ingest-key.ts';
import { ingestTokenVerifier } from '#server/auth/ingest-token.ts';
import { openHttpServer } from '#server/http-server.ts';
import { systemClock } from '#server/ingest/core.ts';
import type { IngestCounts } from '#server/ingest/counts.ts';
import { postEvents } from '#server/ingest/http.ts';
import { openIngest } from '#server/ingest/ingest.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from '#server/ingest/learning-observer-socket.ts';
import { DEFAULT_LIMITS } from '#server/ingest/limits.ts';
import { openRecorder } from '#server/ingest/record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from '#server/ingest/socket.ts';
import { openLog } from '#server/log.ts';
import { loadModules } from '#server/modules.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';

export type FuzzServerSettings = { readonly varDir: string; readonly key: string };

/** `heapMb` after a collection; `students`: those in memory; `timers`: those that keep a process alive. */
export type FuzzStatus = {
  readonly counts: IngestCounts;
  /** Events without an end yet. */
  readonly inFlight: number;
  readonly heapMb: number;
  readonly students: number;
  readonly descriptors: number;
  readonly timers: number;
};
export type FuzzTold =
  | { readonly is: 'ready'; readonly port: number }
  | { readonly is: 'status'; readonly status: FuzzStatus };

const LIFTED = 1e9;
/** What is sent here is broken, not too much: only limits of one frame and one socket are left. */
const LIMITS = {
  ...DEFAULT_LIMITS,
  eventsPerSecond: LIFTED,
  burst: LIFTED,
  bytesPerDay: 1e15,
  handshakesPerAddress: LIFTED,
  handshakesPerStudent: LIFTED,
  provingPerAddress: LIFTED,
};
const MIB = 1024 * 1024;
const tell = (told: FuzzTold) => void process.send?.(told);

process.on('uncaughtException', (error) => {
  console.error(error);
  process.exit(70);
});
process.on('disconnect', () => process.exit(70)); // whoever started it is gone

const { varDir, key } = JSON.parse(process.argv[2] ?? '{}') as FuzzServerSettings;
const log = openLog('fatal'); // keys of careless reducers stand still all the time
const registry = await loadModules(join(import.meta.dirname, 'modules'));
const archive = await openFileArchive({
  directory: join(varDir, 'archive'),
  software: 'fuzz',
  clock: Date.now,
  limits: { minFreeBytes: 0 },
  onFatal(error) {
    console.error(error);
    process.exit(74);
  },
});
const store = await openFileStore({ folder: join(varDir, 'states'), log });
const owner = openOwner({ archive, store, registry, log, clock: Date.now });
const recorder = openRecorder({ archive, clock: systemClock });
const verify = ingestTokenVerifier(parseIngestKey(key), Date.now);
const ingest = openIngest({
  archive,
  registry,
  identify: {
    async byToken(token) {
      const found = await verify(token);
      if (!found) return null;
      const { person: student, school, installation: credential, expiresAt } = found;
      return { student, school, kind: 'verified', credential, expiresAt };
    },
    byCookie: async () => null,
    byClaim: async () => 'claims-off',
  },
  rules: { prepare: async () => {}, decide: () => null },
  recorder,
  limits: LIMITS,
  version: 'fuzz',
  whenFolded: () => owner.caughtUp(),
  readBlob: async (asked) => (await owner.states.read(blob, asked)).state,
});
const hosts = new Set<string>();
const none = new Set<string>();
const web = openHttpServer({
  hosts,
  ownOrigins: none,
  ingestOrigins: none,
  trustedProxies: none,
  isDev: false,
  isSecure: false,
});
const sockets = new HttpServer();
const io = new SocketServer(sockets, {
  ...INGEST_IO_OPTIONS,
  transports: ['websocket'],
  path: '/socket.io',
  destroyUpgrade: false,
  cleanupEmptyChildNamespaces: true,
});
const edge = attachIngest({ io, ingest, isIngestOrigin: () => false });
const wss = new WebSocketServer(OBSERVER_WS_OPTIONS);
const observerEdge = openLearningObserverEdge({ wss, ingest, isIngestOrigin: () => false });
web.serve((request, response) => void route(request, response), {
  'socket.io': (request, socket, head) => sockets.emit('upgrade', request, socket, head),
  'learning-observer': (request, socket, head) => observerEdge.upgrade(request, socket, head),
  next: (_request, socket) => socket.destroy(),
});
await new Promise<void>((done) => web.server.listen(0, '127.0.0.1', done));
const { port } = web.server.address() as AddressInfo;
hosts.add(`127.0.0.1:${port}`);
process.on('message', (asked) => void (asked === 'status' && status()));
process.once('SIGTERM', () => void stop());
tell({ is: 'ready', port });

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.startsWith('/socket.io/')) return void sockets.emit('request', request, response);
  if (request.url !== '/api/events' || request.method !== 'POST') return void response.writeHead(404).end();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') headers.set(name, value);
  const url = `http://127.0.0.1:${port}/api/events`;
  const answer = await postEvents(
    ingest,
    new Request(url, { method: 'POST', headers, body: Buffer.concat(chunks) }),
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
}

async function status(): Promise<void> {
  await owner.caughtUp();
  await owner.flush();
  globalThis.gc?.();
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const descriptors = readdirSync('/proc/self/fd').length;
  const heapMb = process.memoryUsage().heapUsed / MIB;
  const { students } = owner.status();
  const inFlight = Object.values(ingest.core.flight).reduce((sum, one) => sum + one, 0);
  tell({
    is: 'status',
    status: { counts: ingest.counts(), inFlight, heapMb, students, descriptors, timers },
  });
}

async function stop(): Promise<void> {
  web.server.close();
  await ingest.stop();
  observerEdge.close();
  await owner.flush();
  await owner.close();
  recorder.close();
  await archive.close();
  await store.close();
  edge.close();
  await io.close();
  web.destroySockets();
  process.exit(0);
}
