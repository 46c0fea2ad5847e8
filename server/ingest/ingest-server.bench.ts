import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as SocketServer } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import {
  defineEventSource,
  defineModule,
  defineReducer,
  keyField,
  scope,
  student,
} from '#modules/kit/index.ts';
import type { Archive, ProducerRow } from '#server/archive/archive.ts';
import type { Entry } from '#server/archive/entry.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import type { DeclinedCode, RefusedCode } from '#server/errors.ts';
import { refuseUpgrade } from '#server/http-server.ts';
import { buildRegistry } from '#server/registry.ts';
import { routeUpgrade } from '#server/upgrade.ts';
import { type Clock, systemClock } from './core.ts';
import { postEvents } from './http.ts';
import type { Claim, CollectionRules, Identify, Identity } from './identity.ts';
import { openIngest, type ReadBlob } from './ingest.ts';
import { OBSERVER_WS_OPTIONS, openLearningObserverEdge } from './learning-observer-socket.ts';
import { DEFAULT_LIMITS, type IngestLimits } from './limits.ts';
import type { Answer, Sent } from './protocol.ts';
import { openRecorder } from './record.ts';
import { attachIngest, INGEST_IO_OPTIONS } from './socket.ts';

/** Writes pages and keys; what tests send. */
export const pad = defineEventSource({
  name: 'org.test.pad',
  declines: ['characterData'],
  maxBytes: { history: 1024 * 1024 * 24 },
  before: (_event, body) =>
    typeof body['doc-id'] === 'string' ? { ...body, doc_id: body['doc-id'] } : { ...body },
  events: {
    save: z.object({
      doc_id: z.string(),
      n: z.number().optional(),
      text: z.string().optional(),
      a: z.unknown().optional(),
      activity: z.string().optional(),
      student: z.string().optional(),
      user_id: z.string().optional(),
    }),
    history: z.object({ doc_id: z.string(), text: z.string() }),
    characterData: z.object({}),
    extension_loaded: z.object({}),
  },
});
const underscored = defineEventSource({ name: 'org_test_old', events: { key: z.object({ n: z.number() }) } });
const doc = keyField('doc', (event: { doc_id: string }) => event.doc_id);
const saves = defineReducer({
  name: 'saves',
  source: pad,
  scope: scope(student, doc),
  initial: 0,
  on: { save: (count: number) => count + 1 },
});
const registry = buildRegistry([
  defineModule({ name: 'pad', title: 'Pad', sources: [pad, underscored], reducers: [saves] }),
]);

export type TestServerOptions = {
  readonly limits?: Partial<Omit<IngestLimits, 'old'>> & { readonly old?: Partial<IngestLimits['old']> };
  readonly clock?: Clock;
  readonly producers?: readonly ProducerRow[];
  readonly archive?: (archive: Archive) => Archive;
};

export type TestServer = Awaited<ReturnType<typeof openTestServer>>;

/** A real server on a free port: all three edges over one archive in memory. */
export async function openTestServer(options: TestServerOptions = {}) {
  const clock = options.clock ?? systemClock;
  const world = {
    refuse: null as RefusedCode | null,
    decide: (() => null) as CollectionRules['decide'],
    opensAt: null as number | null,
    claims: new Map<string, Identity>(),
    claimed: [] as Claim[],
    claimsAre: 'claims-off' as 'claims-off' | 'claim-unknown',
    expiresAt: clock.now() + 900_000,
  };
  const memory = openMemoryArchive({ refuse: () => world.refuse, producers: options.producers ?? [] });
  const archive = options.archive?.(memory) ?? memory;
  const limits = {
    ...DEFAULT_LIMITS,
    ...options.limits,
    old: { ...DEFAULT_LIMITS.old, ...options.limits?.old },
  };
  const recorder = openRecorder({ archive, clock });
  const identify: Identify = {
    byToken: async (token) => identityOf(/^token-(\w+)$/.exec(token)?.[1], world.expiresAt),
    byCookie: async (cookie) => identityOf(/session=(\w+)/.exec(cookie ?? '')?.[1], null),
    byClaim: async (claim) => {
      world.claimed.push(claim);
      return world.claims.get(claim.value) ?? world.claimsAre;
    },
  };
  const rules: CollectionRules = {
    prepare: async () => {},
    decide: (student, at) => world.decide(student, at),
    reopensAt: () => world.opensAt,
  };
  const readBlob: ReadBlob = async ({ student, tool, activity }) => {
    const saved = (await all(archive)).flatMap(({ s, src, ev }) =>
      s === student && src === 'blob' ? (ev ?? []) : [],
    );
    const last = saved.findLast(({ body }) => body.tool === tool && body.activity === activity);
    return last ? String(last.body.json) : null;
  };
  const ingest = openIngest({
    archive,
    registry,
    identify,
    rules,
    recorder,
    clock,
    limits,
    readBlob,
    version: 'test',
  });
  const server = createServer();
  const sockets = new SocketServer(server, {
    ...INGEST_IO_OPTIONS,
    transports: ['websocket'],
    destroyUpgrade: false,
  });
  const wss = new WebSocketServer(OBSERVER_WS_OPTIONS);
  const ownOrigin = 'http://pad.test';
  const isIngestOrigin = (origin: string) => origin === ownOrigin;
  const batches = attachIngest({ io: sockets, ingest, isIngestOrigin });
  const observer = openLearningObserverEdge({ wss, ingest, isIngestOrigin });
  const hosts = new Set<string>();
  const rulesOfUpgrade = {
    hosts,
    ownOrigins: new Set([ownOrigin]),
    ingestOrigins: new Set(['chrome-extension://abc']),
    isDev: false,
  };
  server.on('upgrade', (request, socket, head) => {
    const route = routeUpgrade(request, rulesOfUpgrade);
    if (route === 'forbidden') refuseUpgrade(socket, 403);
    else if (route === 'learning-observer') observer.upgrade(request, socket, head);
    else if (route !== 'socket.io') socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  hosts.add(`127.0.0.1:${port}`);
  const clients: { close(): void }[] = [];
  return {
    ingest,
    archive,
    recorder,
    world,
    port,
    observer,
    /** The server's side of those who are in. */
    inside: () => [...sockets.of('/ingest').sockets.values()],
    /** All entries but those the server makes itself. */
    async entries(): Promise<Entry[]> {
      return (await all(archive)).filter((entry) => !entry.p?.startsWith('~') || entry.src !== 'connection');
    },
    everything: () => all(archive),
    connect(auth: object = { token: 'token-ada' }, headers: Record<string, string> = {}): Socket {
      const client = io(`http://127.0.0.1:${port}/ingest`, {
        auth,
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        extraHeaders: headers,
      });
      clients.push(client);
      return client;
    },
    plain(
      path = '/wsapi/in/',
      options: { headers?: Record<string, string>; protocol?: string } = {},
    ): WebSocket {
      const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, options.protocol ? [options.protocol] : [], {
        headers: options.headers ?? {},
        perMessageDeflate: false,
      });
      clients.push(ws);
      return ws;
    },
    post: (body: BodyInit, headers: Record<string, string> = {}) =>
      postEvents(
        ingest,
        new Request('http://127.0.0.1/api/events', {
          method: 'POST',
          body,
          headers: { authorization: 'Bearer token-ada', 'content-type': 'application/json', ...headers },
        }),
      ),
    async close(): Promise<void> {
      for (const client of clients) client.close();
      batches.close();
      observer.close();
      await sockets.close();
      server.closeAllConnections();
      recorder.close();
    },
  };
}

async function all(archive: Archive): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const slice of archive.read(0)) found.push(...slice);
  return found;
}

function identityOf(student: string | undefined, expiresAt: number | null): Identity | null {
  if (student === undefined) return null;
  return { student, school: 's1', kind: 'verified', credential: `installation-${student}`, expiresAt };
}

export const PRODUCER = 'AAAAAAAAAAAAAAAAAAAAAA';

export function save(n: number, more: Partial<Sent> = {}): Sent {
  return { event: 'save', sentAt: Date.now(), body: { doc_id: 'd1', n }, ...more };
}

export function hello(more: object = {}) {
  return { v: 1, type: 'hello', producer: PRODUCER, epoch: 1, oldest: 1, now: Date.now(), ...more };
}

export function batch(from: number, events: readonly Sent[], more: object = {}) {
  return { v: 1, type: 'events', producer: PRODUCER, epoch: 1, from, source: pad.name, events, ...more };
}

/** Sends one message over Socket.IO and waits for its answer. */
export function ask(socket: Socket, message: unknown): Promise<Answer> {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return new Promise((resolve) => socket.emit('m', text, resolve));
}

export function connected(socket: Socket): Promise<Error | null> {
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(null));
    socket.on('connect_error', resolve);
  });
}

export type { DeclinedCode };
