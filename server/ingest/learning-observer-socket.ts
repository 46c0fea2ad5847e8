import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { ADDRESS_HEADER } from '#server/address.ts';
import { CLOSE } from '#server/errors.ts';
import { refuseUpgrade } from '#server/http-server.ts';
import { openBlobSaves } from './blobs.ts';
import type { Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { type ObserverSession, openObserverSession } from './observer-session.ts';
import { openObserverSockets } from './observer-sockets.ts';
import type { ObserverShared, ObserverWire } from './observer-wire.ts';
import { asBuffer, SUB_PROTOCOL, serveBatches } from './part-b-socket.ts';
import { openHandshakes } from './socket-limits.ts';

/** How the `ws` server of this edge must be made: no extension, and no sub-protocol but ours. */
export const OBSERVER_WS_OPTIONS: ServerOptions = {
  noServer: true,
  perMessageDeflate: false,
  maxPayload: DEFAULT_LIMITS.old.frameBytes,
  handleProtocols: (offered) => (offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false),
};

export type ObserverEdgeOptions = {
  /** Made with `OBSERVER_WS_OPTIONS`. */
  readonly wss: WebSocketServer;
  readonly ingest: Ingest;
  /** Page origins whose cookies count: our own and those that an administrator listed. */
  readonly isIngestOrigin: (origin: string) => boolean;
};

export type ObserverEdge = {
  /** Takes an upgrade of `/wsapi/in/` whose origin was checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Last answers, then 1001. */
  close(): void;
};

type Live = {
  readonly ws: WebSocket;
  readonly session: ObserverSession;
  readonly isExtension: boolean;
  missed: number;
  isHeld: boolean;
};

const REFUSED_MS = 30_000;
const HARD_CLOSE_MS = 5_000;

/** The plain WebSocket of Learning Observer (Python), wire.md part A; with the sub-protocol, part B. */
export function openLearningObserverEdge(options: ObserverEdgeOptions): ObserverEdge {
  const { wss, ingest } = options;
  const limits = ingest.core.limits.old;
  const handshakes = openHandshakes(ingest.core.limits, 'learning-observer', ingest.kept);
  const shared: ObserverShared = {
    ingest,
    parks: { bytes: 0 },
    blobs: openBlobSaves(ingest.core),
    sockets: openObserverSockets(limits),
    terminated: new Set(),
  };
  const lives = new Set<Live>();
  const unidentified = new Map<string, Set<Live>>();
  /** Only a failed connect makes an old client wait, so a sender that was shut out hears 429 for a while. */
  const shutOut = new Map<string, number>();
  const timers = [
    setInterval(() => pingAll(lives), limits.pingEveryMs).unref(),
    setInterval(() => sayAlive(lives, limits.bufferedBytes), limits.aliveEveryMs).unref(),
  ];

  function countUnidentified(address: string): number {
    const known = unidentified.get(address);
    if (!known) return 0;
    for (const live of known)
      if (live.session.isIdentified || live.ws.readyState > live.ws.OPEN) known.delete(live);
    if (known.size === 0) unidentified.delete(address);
    return known.size;
  }

  async function mayCome(request: IncomingMessage): Promise<{ status: number; retryAfterS: number } | null> {
    const { core } = ingest;
    const isFull = core.isStopping || core.archive.pressure() >= core.limits.pauseAt;
    if (isFull) return { status: 503, retryAfterS: 5 };
    const address = addressOf(request);
    const until = shutOut.get(senderOf(request)) ?? 0;
    if (until > core.clock.monotonic()) return { status: 429, retryAfterS: REFUSED_MS / 1000 };
    shutOut.delete(senderOf(request));
    const wait = await handshakes.fromAddress(address);
    const isCrowded = countUnidentified(address) >= limits.unidentifiedPerAddress;
    return wait > 0 || isCrowded ? { status: 429, retryAfterS: Math.max(1, Math.ceil(wait / 1000)) } : null;
  }

  function serve(ws: WebSocket, request: IncomingMessage): void {
    ws.on('error', () => {}); // a broken frame closes with its code; there is nothing more to do
    const proof = proofOf(options, request);
    if (ws.protocol === SUB_PROTOCOL) void serveProved(ingest, ws, request, proof);
    else serveObserver(ws, request, proof);
  }

  function serveObserver(ws: WebSocket, request: IncomingMessage, proof: Promise<Identity | null>): void {
    const reasons = new Set<string>();
    const wire: ObserverWire = {
      send: (frame) => {
        if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame));
      },
      bufferedBytes: () => ws.bufferedAmount,
      hold(reason, isHeld) {
        if (isHeld ? reasons.has(reason) : !reasons.delete(reason)) return;
        if (isHeld) reasons.add(reason);
        live.isHeld = reasons.size > 0;
        live.missed = 0;
        if (live.isHeld) ws.pause();
        else ws.resume();
      },
      close: (code) => end(ws, code),
    };
    const session = openObserverSession(shared, wire, addressOf(request), proof);
    const isExtension = request.headers.origin?.startsWith('chrome-extension://') ?? false;
    const live: Live = { ws, session, isExtension, missed: 0, isHeld: false };
    lives.add(live);
    const known = unidentified.get(addressOf(request)) ?? new Set();
    unidentified.set(addressOf(request), known.add(live));
    boundUnidentified(live, request);
    ws.on('message', (data, isBinary) => session.message(asBuffer(data), isBinary));
    ws.on('pong', () => {
      live.missed = 0;
    });
    ws.on('close', (code) => {
      lives.delete(live);
      countUnidentified(addressOf(request));
      session.end(`closed ${code}`);
    });
  }

  /** Counts raw bytes, since a frame of many megabytes is only seen when it is whole. */
  function boundUnidentified(live: Live, request: IncomingMessage): void {
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (live.session.isIdentified) request.socket.off('data', count);
      else if (bytes > limits.bytesBeforeIdentity) {
        request.socket.off('data', count);
        shutOut.set(senderOf(request), ingest.core.clock.monotonic() + REFUSED_MS);
        end(live.ws, CLOSE.unauthenticated);
      }
    };
    request.socket.on('data', count);
  }

  return {
    upgrade(request, socket, head) {
      void mayCome(request).then((refused) => {
        if (refused) refuseUpgrade(socket, refused.status, refused.retryAfterS);
        else wss.handleUpgrade(request, socket, head, (ws) => serve(ws, request));
      });
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      const written = shared.blobs.writeAll();
      for (const { ws, session } of lives) {
        session.flush();
        void written.then(() => end(ws, CLOSE.goingAway));
      }
    },
  };
}

function senderOf(request: IncomingMessage): string {
  return `${addressOf(request)} ${request.headers.origin ?? ''} ${request.headers['user-agent'] ?? ''}`;
}

function addressOf(request: IncomingMessage): string {
  const given = request.headers[ADDRESS_HEADER];
  return typeof given === 'string' ? given : (request.socket.remoteAddress ?? '');
}

/** What the upgrade itself proves: an ingest token, or a session's cookie from a listed page. */
async function proofOf(
  { ingest, isIngestOrigin }: ObserverEdgeOptions,
  request: IncomingMessage,
): Promise<Identity | null> {
  const token = /^Bearer ([\w.~+/=-]{1,4096})$/.exec(request.headers.authorization ?? '')?.[1];
  const proved = token === undefined ? null : await ingest.identify.byToken(token);
  if (proved) return proved;
  const { origin, cookie } = request.headers;
  const isPage = origin !== undefined && /^https?:/.test(origin) && isIngestOrigin(origin);
  return isPage ? ingest.identify.byCookie(cookie) : null;
}

/** Part B: nothing is read before the student is known. */
async function serveProved(
  ingest: Ingest,
  ws: WebSocket,
  request: IncomingMessage,
  proof: Promise<Identity | null>,
): Promise<void> {
  ws.pause();
  const identity = await proof.catch(() => null);
  if (identity) await ingest.core.rules.prepare(identity.student);
  if (ws.readyState !== ws.OPEN) return;
  if (identity) serveBatches(ingest, ws, request.socket, identity);
  else end(ws, CLOSE.unauthenticated);
  ws.resume();
}

/** A peer that never answers the close is cut off. */
function end(ws: WebSocket, code: number): void {
  ws.close(code);
  setTimeout(() => ws.terminate(), HARD_CLOSE_MS).unref();
}

/** A socket that is not read cannot be heard answering. */
function pingAll(lives: ReadonlySet<Live>): void {
  for (const live of lives) {
    if (live.isHeld || live.ws.readyState !== live.ws.OPEN) continue;
    if (live.missed >= 2) end(live.ws, CLOSE.silent);
    else live.ws.ping();
    live.missed += 1;
  }
}

/** Keeps the worker of an extension running: a received message does, a ping does not. */
function sayAlive(lives: ReadonlySet<Live>, mostBuffered: number): void {
  const frame = JSON.stringify({ status: 'alive', at: Date.now() });
  for (const { ws, isExtension } of lives) {
    if (isExtension && ws.readyState === ws.OPEN && ws.bufferedAmount <= mostBuffered) ws.send(frame);
  }
}
