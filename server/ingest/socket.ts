import type { IncomingMessage } from 'node:http';
import type { Namespace, Server, Socket } from 'socket.io';
import { ADDRESS_HEADER } from '#server/address.ts';
import { AppError, CLOSE, type RequestCode } from '#server/errors.ts';
import { slimRequests } from '#server/slim-requests.ts';
import type { Peer } from './connections.ts';
import type { Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import type { Answer, Pushed } from './protocol.ts';
import { endSession, hear, hearBinary, openSession } from './session.ts';
import { boundSockets, type Handshakes, openHandshakes } from './socket-limits.ts';

const MOST_BYTES = 128 * 1024;

/**
 * What the one Socket.IO server needs for this edge: frames over twice the limit close with 1009, who proves nothing in
 * 5 s is gone, nothing is compressed, and no session is resumed behind our back.
 */
export const INGEST_IO_OPTIONS = {
  transports: ['websocket'],
  connectTimeout: 5_000,
  maxHttpBufferSize: MOST_BYTES + 1024,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  pingInterval: 20_000,
  pingTimeout: 20_000,
} as const;

export type IngestEdgeOptions = {
  readonly io: Server;
  readonly ingest: Ingest;
  /** Page origins whose cookies count: our own and those that an administrator listed. */
  readonly isIngestOrigin: (origin: string) => boolean;
};

/** In the place of what was said at a connection's begin. */
const OVER: Socket['handshake'] = {
  headers: {},
  time: '',
  address: '',
  xdomain: false,
  secure: false,
  issued: 0,
  url: '',
  query: {},
  auth: {},
};

type Proved = { identity?: Identity; address?: string };

/** Socket.IO namespace `/ingest` (wire.md part B): one event `m`, one string, one answer. */
export function attachIngest(options: IngestEdgeOptions): { close(): void } {
  const { ingest } = options;
  slimRequests(options.io);
  const namespace: Namespace = options.io.of('/ingest');
  const handshakes = openHandshakes(ingest.core.limits, 'socket', ingest.kept);
  const proving = new Map<string, number>();
  namespace.use((socket, next) => {
    prove({ ...options, handshakes, proving }, socket).then(
      () => next(),
      (cause: unknown) => next(connectError(cause)),
    );
  });
  namespace.on('connection', (socket) => open(ingest, socket));
  // Everybody may join the namespace that Socket.IO makes by itself, and whoever has joined one has no time limit any more.
  options.io
    .of('/')
    .use((_socket, next) => next(connectError(new AppError('not-found', 'nothing is served here'))));
  return {
    close() {
      // A socket that nobody reads would never see the close.
      for (const socket of namespace.sockets.values()) socket.request.socket.resume();
      namespace.disconnectSockets(true);
    },
  };
}

type Proving = IngestEdgeOptions & { readonly handshakes: Handshakes; readonly proving: Map<string, number> };

/** Finds out whose socket it is, before anything of it is heard. Throws an `AppError`. */
async function prove(options: Proving, socket: Socket): Promise<void> {
  const { ingest, handshakes, proving } = options;
  const address = addressOf(socket.request);
  if (ingest.core.isStopping)
    throw new AppError('unavailable', 'the server is stopping', { retryAfterMs: 5_000 });
  const wait = await handshakes.fromAddress(address);
  const already = proving.get(address) ?? 0;
  if (wait > 0 || already >= ingest.core.limits.provingPerAddress) {
    throw new AppError('limited', 'too many connections from this address', {
      retryAfterMs: Math.max(wait, 1_000),
    });
  }
  proving.set(address, already + 1);
  try {
    const identity = await identityOf(options, socket);
    if (!identity) throw new AppError('unauthenticated', 'sign in, or fetch a new token');
    const waitStudent = await handshakes.ofStudent(identity.student);
    if (waitStudent > 0) throw new AppError('limited', 'too many connections', { retryAfterMs: waitStudent });
    await ingest.core.rules.prepare(identity.student);
    const proved: Proved = socket.data;
    proved.identity = identity;
  } finally {
    const left = (proving.get(address) ?? 1) - 1;
    if (left > 0) proving.set(address, left);
    else proving.delete(address);
  }
}

function addressOf(request: IncomingMessage): string {
  const given = request.headers[ADDRESS_HEADER];
  return typeof given === 'string' ? given : (request.socket.remoteAddress ?? '');
}

async function identityOf({ ingest, isIngestOrigin }: Proving, socket: Socket): Promise<Identity | null> {
  const { auth, headers } = socket.handshake;
  if (typeof auth.token === 'string')
    return auth.token.length > 4096 ? null : ingest.identify.byToken(auth.token);
  const { origin } = headers;
  // Without a listed page behind it a cookie proves nothing: any page could have brought it here.
  const isPage = origin !== undefined && /^https?:/.test(origin) && isIngestOrigin(origin);
  return isPage ? ingest.identify.byCookie(headers.cookie) : null;
}

/** The mapper of this edge: `connect_error` with `data: { code, reason, retryAfterMs? }`. */
function connectError(cause: unknown): Error {
  const known = cause instanceof AppError;
  const code: string = known ? cause.code : ('internal' satisfies RequestCode);
  const reason = known ? cause.message : 'something went wrong on the server';
  const retryAfterMs = known ? cause.retryAfterMs : undefined;
  return Object.assign(new Error(reason), {
    data: { code, reason, ...(retryAfterMs ? { retryAfterMs } : {}) },
  });
}

function open(ingest: Ingest, socket: Socket): void {
  const { identity }: Proved = socket.data;
  if (!identity) {
    socket.disconnect(true);
    return;
  }
  const client = clientOf(socket.handshake.auth.client);
  // The token has done its work, and would be kept as long as the connection, with all else that was said at its begin.
  (socket as { handshake: Socket['handshake'] }).handshake = OVER;
  const connection = ingest.open({
    identity,
    edge: 'socket',
    peer: peerOf(socket),
    ...(client ? { client } : {}),
  });
  boundSockets(ingest, connection);
  const session = openSession(ingest, connection);
  socket.on('disconnect', (reason) => endSession(session, reason));
  // What nobody listens to would never have an end.
  socket.onAny((name: unknown) => {
    if (name !== 'm') closeWith(socket, CLOSE.protocol);
  });
  socket.on('m', (text: unknown, reply: unknown) => {
    // Without a callback there is nobody to answer, and without an answer no event has an end.
    if (typeof reply !== 'function') socket.disconnect(true);
    else if (typeof text === 'string')
      hear(session, text, byteLength(text), reply as (answer: Answer) => void);
    else hearBinary(session, 0, reply as (answer: Answer) => void);
  });
}

/** Exact where it can matter: UTF-8 has at most three bytes for a unit of JavaScript's strings. */
function byteLength(text: string): number {
  return text.length < MOST_BYTES / 6 ? text.length : Buffer.byteLength(text);
}

function clientOf(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, version } = value as { name?: unknown; version?: unknown };
  if (typeof name !== 'string' || typeof version !== 'string') return undefined;
  return { name: name.slice(0, 64), version: version.slice(0, 64) };
}

function peerOf(socket: Socket): Peer {
  const raw = socket.request.socket;
  return {
    push: (event: keyof Pushed, message: unknown) => void socket.emit(event, message),
    pause: () => void raw.pause(),
    resume: () => void raw.resume(),
    close: (code) => closeWith(socket, code),
  };
}

type EngineSocket = { readonly transport?: { readonly socket?: { close(code: number): void } } };

/** Socket.IO closes without a code of its own; the frame below it takes one, after what was pushed. */
function closeWith(socket: Socket, code: number): void {
  const { transport } = socket.conn as unknown as EngineSocket;
  setImmediate(() => {
    transport?.socket?.close(code);
    if (!transport?.socket || code === CLOSE.ended) socket.disconnect(true);
  });
}
