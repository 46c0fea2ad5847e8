import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as SocketServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import googleDocsModule from '#modules/google-docs/module.ts';
import writingModule from '#modules/writing/module.ts';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { systemClock } from '#server/ingest/core.ts';
import type { Identify } from '#server/ingest/identity.ts';
import { openIngest } from '#server/ingest/ingest.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from '#server/ingest/learning-observer-socket.ts';
import { DEFAULT_LIMITS } from '#server/ingest/limits.ts';
import { openRecorder } from '#server/ingest/record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from '#server/ingest/socket.ts';
import { buildRegistry } from '#server/registry.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { memoryLog } from '#server/stream/testing.ts';

/** What the server process tells the load: where it listens, then what it holds each time it is asked. */
export type FromServer =
  | { readonly port: number }
  | {
      readonly rss: number;
      readonly heapUsed: number;
      readonly students: number;
      readonly sockets: number;
      readonly faults: number;
    };

const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** Whoever connects is the student that their token names. */
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
  provingPerAddress: UNLIMITED,
  handshakesPerAddress: UNLIMITED,
};

async function serve(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const onFatal = (cause: unknown) => {
    throw cause;
  };
  const archive = await openFileArchive({
    directory: join(directory, 'archive'),
    software: 'bench',
    clock: Date.now,
    onFatal,
    limits: { minFreeBytes: 0 },
  });
  const log = memoryLog();
  const registry = buildRegistry([googleDocsModule, writingModule]);
  const store = await openFileStore({ folder: join(directory, 'states'), log });
  const owner = openOwner({ archive, store, registry, log });
  const recorder = openRecorder({ archive, clock: systemClock });
  const rules = { prepare: async () => {}, decide: () => null };
  const ingest = openIngest({ archive, registry, identify, rules, recorder, limits });
  const http = createServer();
  const io = new SocketServer(http, {
    ...INGEST_IO_OPTIONS,
    transports: ['websocket'],
    destroyUpgrade: false,
  });
  attachIngest({ io, ingest, isIngestOrigin: () => false });
  const wss = new WebSocketServer(OBSERVER_WS_OPTIONS);
  const edge = openLearningObserverEdge({ wss, ingest, isIngestOrigin: () => false });
  http.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/wsapi/in')) edge.upgrade(request, socket, head);
  });
  process.on('message', async () => {
    await owner.caughtUp();
    await owner.flush();
    for (let i = 0; i < 4; i++) {
      await globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' });
      await new Promise((done) => setTimeout(done, 100));
    }
    const sockets = await new Promise<number>((done) => http.getConnections((_error, count) => done(count)));
    const { rss, heapUsed } = process.memoryUsage();
    tell({
      rss,
      heapUsed,
      students: owner.status().students,
      sockets,
      faults: log.facts.length,
    });
  });
  process.on('disconnect', () => process.exit());
  http.listen(0, '127.0.0.1', 4_096, () => tell({ port: (http.address() as AddressInfo).port }));
}

function tell(message: FromServer): void {
  process.send?.(message);
}

if (process.argv[2] === 'serve') await serve();
