import type { KeyObject } from 'node:crypto';
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server as SocketServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import type { Archive } from '#server/archive/archive.ts';
import { type FileArchiveOptions, openFileArchive } from '#server/archive/file-archive.ts';
import { ingestTokenVerifier } from '#server/auth/ingest-token.ts';
import { openHttpServer } from '#server/http-server.ts';
import type { IngestCounts } from '#server/ingest/counts.ts';
import { postEvents } from '#server/ingest/http.ts';
import type { CollectionRules, Identify } from '#server/ingest/identity.ts';
import { type Ingest, openIngest } from '#server/ingest/ingest.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from '#server/ingest/learning-observer-socket.ts';
import { DEFAULT_LIMITS } from '#server/ingest/limits.ts';
import { openRecorder } from '#server/ingest/record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from '#server/ingest/socket.ts';
import type { Log } from '#server/log.ts';
import { loadModules } from '#server/modules.ts';
import type { StateStore } from '#server/state/state-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { NO_SABOTAGE, type Sabotage } from './sabotage.ts';

/** The modules that only a proof loads. */
export const PROOF_MODULES = join(import.meta.dirname, 'modules');

export type ProofServerOptions = {
  readonly archive: Omit<FileArchiveOptions, 'software' | 'clock'>;
  readonly openStore: (archive: Archive) => Promise<StateStore>;
  /** Signs the tokens of the clients; the server takes the public half. */
  readonly key: KeyObject;
  readonly log: Log;
  /** 0: one that is free. */
  readonly port: number;
  /** How far this machine's clock is from the true time, ms. */
  readonly clockShiftMs?: number;
  readonly sabotage?: Sabotage;
};

export type ProofStatus = {
  readonly phase: string;
  readonly checkpoint: number;
  readonly end: number;
  readonly refusing: string | null;
  readonly counts: IngestCounts;
};

export type ProofServer = {
  readonly port: number;
  status(): ProofStatus;
  /** Resolves once all that is durable is folded and in the store. */
  quiet(): Promise<void>;
  /** As SIGTERM does it (delivery.md §13). */
  stop(): Promise<void>;
  /** Ends every socket without a word, as a death does. Archive and store are left as they are. */
  drop(): void;
};

/** Lifted: a proof is about what happens at any load, not about how the load of one student is bounded. */
const LIMITS = {
  ...DEFAULT_LIMITS,
  eventsPerSecond: 1e9,
  burst: 1e9,
  bytesPerDay: 1e15,
  handshakesPerAddress: 1e9,
  handshakesPerStudent: 1e9,
  socketsPerStudent: 64,
  provingPerAddress: 1e9,
};

/**
 * The way of an event from the sockets to the stored states, wired as `main.ts` wires it: archive, owner, store, ingest and
 * its two edges. Without pages and without a database: a student is who the signed token says, and everything may be collected.
 */
export async function openProofServer(options: ProofServerOptions): Promise<ProofServer> {
  const { key, log, clockShiftMs: shiftMs = 0 } = options;
  const sabotage = options.sabotage ?? NO_SABOTAGE;
  const clock = () => Date.now() + shiftMs;
  const clocks = { now: clock, monotonic: () => performance.now() };
  const registry = await loadModules(PROOF_MODULES);
  const opened = await openFileArchive({ ...options.archive, software: 'proof', clock });
  const archive = sabotage.archive(opened);
  const store = sabotage.store(await options.openStore(archive));
  const owner = openOwner({ archive, store, registry, log, clock });
  const recorder = openRecorder({ archive, clock: clocks });
  const ingest = openIngest({
    archive,
    registry,
    identify: identifyBy(key, shiftMs),
    rules: COLLECT_ALL,
    recorder,
    clock: clocks,
    limits: LIMITS,
    version: 'proof',
    whenFolded: () => owner.caughtUp(),
  });
  const hosts = new Set<string>();
  const none = new Set<string>();
  const rules = { hosts, ownOrigins: none, ingestOrigins: none, trustedProxies: none };
  const web = openHttpServer({ ...rules, isDev: false, isSecure: false });
  const socketsServer = new HttpServer();
  const io = new SocketServer(socketsServer, {
    ...INGEST_IO_OPTIONS,
    transports: ['websocket'],
    path: '/socket.io',
    destroyUpgrade: false,
  });
  const isIngestOrigin = () => false;
  attachIngest({ io, ingest, isIngestOrigin });
  const wss = new WebSocketServer(OBSERVER_WS_OPTIONS);
  const observerEdge = openLearningObserverEdge({ wss, ingest, isIngestOrigin });
  web.serve((request, response) => void answerHttp(ingest, request, response), {
    'socket.io': (request, socket, head) => socketsServer.emit('upgrade', request, socket, head),
    'learning-observer': (request, socket, head) => observerEdge.upgrade(request, socket, head),
    next: (_request, socket) => socket.destroy(),
  });
  await new Promise<void>((done, fail) => {
    web.server.once('error', fail).listen(options.port, '127.0.0.1', done);
  });
  const { port } = web.server.address() as AddressInfo;
  hosts.add(`127.0.0.1:${port}`);

  return {
    port,
    status: () => {
      const { phase, checkpoint } = owner.status();
      return {
        phase,
        checkpoint,
        end: archive.end(),
        refusing: archive.refusing(),
        counts: ingest.counts(),
      };
    },
    async quiet() {
      await owner.caughtUp();
      await owner.flush();
    },
    async stop() {
      web.server.close();
      await ingest.stop();
      observerEdge.close();
      await owner.flush();
      await owner.close();
      recorder.close();
      await archive.close();
      await store.close();
      await io.close();
      web.destroySockets();
    },
    drop() {
      web.server.close();
      recorder.close();
      web.destroySockets();
      void owner.close();
    },
  };
}

/** `POST /api/events`, as the pages' route hands it on. */
async function answerHttp(ingest: Ingest, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/api/events') {
    response.writeHead(404).end();
    return;
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  const url = `http://${request.headers.host}${request.url}`;
  const answer = await postEvents(ingest, new Request(url, { method: 'POST', headers, body }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
}

/** Who signs tokens keeps the true time; when they end is told by this machine's clock. */
function identifyBy(key: KeyObject, shiftMs: number): Identify {
  const verify = ingestTokenVerifier(key, Date.now);
  return {
    async byToken(token) {
      const found = await verify(token);
      if (!found) return null;
      const { person: student, school, installation: credential, expiresAt } = found;
      return { student, school, kind: 'verified', credential, expiresAt: expiresAt + shiftMs };
    },
    byCookie: async () => null,
    byClaim: async () => 'claims-off',
  };
}

const COLLECT_ALL: CollectionRules = { prepare: async () => {}, decide: () => null };
