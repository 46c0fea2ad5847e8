import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Namespace, Server, Socket } from 'socket.io';
import type { AccessChange } from '#server/access/access.ts';
import type { Viewer } from '#server/access/viewer.ts';
import { AppError, CLOSE, type RequestCode } from '#server/errors.ts';
import type { Live } from './live.ts';
import { buffered, closeTransport, openPace, type Pace } from './pace.ts';
import type { Asked, NotOpened, Told } from './protocol.ts';
import type { Subscription, SubscriptionPeer } from './subscription.ts';

export type LiveEdge = {
  /** Tells every dashboard to come back after a time of its own, up to `spreadMs`. */
  goingAway(spreadMs: number): void;
  /** Open dashboards' connections. */
  sockets(): number;
  close(): void;
};

/** Null without a living session. `cookie` is the header as sent; `address` as the transport saw it. */
export type ViewerOf = (cookie: string | null, address?: string) => Promise<Viewer | null>;

const CHANNELS = 16;
const SUBSCRIBES_A_MINUTE = 30;
const ACTS_A_MINUTE = 60;
const MESSAGE_BYTES = 8 * 1024;
/** Of one person, whatever the address. */
const HANDSHAKES_A_MINUTE = 60;
const RECHECK_MS = 30_000;
const LOOK_MS = 1000;

type LiveSocket = Socket<Asked, Told>;
type Person = {
  readonly socket: LiveSocket;
  readonly pace: Pace;
  viewer: Viewer;
  checkedAt: number;
  readonly open: Map<string, Subscription>;
};

const ENDS = new Set<AccessChange['kind']>(['session-ended', 'person', 'role']);

/**
 * The `/live` namespace (wire.md part C). `io` is made without compression and without connection state recovery:
 * every connection proves itself and subscribes anew. `ownOrigins`: a cookie of any other page, or of no page, proves nothing.
 */
export function attachLive({
  io,
  live,
  viewerOf,
  ownOrigins,
}: {
  readonly io: Server;
  readonly live: Live;
  readonly viewerOf: ViewerOf;
  readonly ownOrigins: ReadonlySet<string>;
}): LiveEdge {
  const namespace: Namespace<Asked, Told> = io.of('/live');
  const people = new Set<Person>();

  const handshakes = new RateLimiterMemory({ points: HANDSHAKES_A_MINUTE, duration: 60 });
  namespace.use((socket, next) => {
    welcomeOrRefuse(socket).then(next, () => next(connectError('unavailable')));
  });
  namespace.on('connection', (socket) => {
    const person = welcome(socket, live);
    people.add(person);
    socket.once('disconnect', () => {
      people.delete(person);
      leaveAll(person);
    });
  });

  async function welcomeOrRefuse(socket: Socket): Promise<Error | undefined> {
    const viewer = await findViewer(socket, viewerOf, ownOrigins);
    if (!viewer) return connectError('unauthenticated');
    const over = await handshakes.consume(viewer.personId).then(() => null, overOf);
    if (over) return connectError('limited', over.msBeforeNext);
    socket.data = { viewer };
    return undefined;
  }

  const stop = live.onAccessChange((change) => {
    for (const person of people) void follow(person, change, viewerOf);
  });
  const timer = setInterval(() => {
    for (const person of people) look(person, live, viewerOf);
  }, LOOK_MS);
  return {
    goingAway(spreadMs) {
      for (const { socket } of people)
        socket.emit('going-away', { reconnectAfterMs: Math.round(Math.random() * spreadMs) });
    },
    sockets: () => people.size,
    close() {
      stop();
      clearInterval(timer);
      for (const person of people) {
        leaveAll(person);
        closeTransport(person.socket, CLOSE.goingAway);
      }
    },
  };
}

async function findViewer(
  socket: Socket,
  viewerOf: ViewerOf,
  ownOrigins: ReadonlySet<string>,
): Promise<Viewer | null> {
  const { origin, cookie } = socket.handshake.headers;
  if (origin === undefined || !ownOrigins.has(origin) || cookie === undefined) return null;
  return viewerOf(cookie, socket.handshake.address);
}

/** The limiter rejects with its count when it is over, and with an error when it fails. */
function overOf(reason: unknown): RateLimiterRes {
  if (reason instanceof RateLimiterRes) return reason;
  throw reason;
}

/** What a refused client finds in `connect_error`: `data`. */
function connectError(code: RequestCode, retryAfterMs?: number): Error {
  return Object.assign(new Error(code), { data: { code, ...(retryAfterMs ? { retryAfterMs } : {}) } });
}

function welcome(socket: LiveSocket, live: Live): Person {
  const { viewer } = socket.data as { viewer: Viewer };
  const person: Person = {
    socket,
    pace: openPace(socket, live.clock),
    viewer,
    checkedAt: live.clock(),
    open: new Map(),
  };
  person.pace.onDrain(() => {
    for (const subscription of person.open.values()) subscription.flush();
  });
  const subscribes = countPerMinute(SUBSCRIBES_A_MINUTE, live.clock);
  const acts = countPerMinute(ACTS_A_MINUTE, live.clock);
  let turn = Promise.resolve();

  socket.on('subscribe', (raw, answer) => {
    // One after the other: the same channel subscribed twice replaces the earlier one.
    turn = turn.then(() =>
      reply(live, answer, async () => {
        refuseBig(raw);
        subscribes();
        return subscribe(person, live, raw);
      }),
    );
  });
  socket.on('unsubscribe', (channel) => {
    turn = turn.then(() => leave(person, channel));
  });
  socket.on('act', (raw, answer) => {
    void reply(live, answer, async () => {
      refuseBig(raw);
      acts();
      await live.act(person.viewer, raw);
      return { ok: true } as const;
    });
  });
  return person;
}

async function subscribe(person: Person, live: Live, raw: unknown) {
  const { socket, open, pace } = person;
  let id = '';
  const peer: SubscriptionPeer = {
    send(delta) {
      const isSent = pace.send('rows', delta);
      if (!isSent) live.measures.skipped += 1;
      return isSent;
    },
    refused(code, reason) {
      open.delete(id);
      socket.emit('refused', { channel: id, code, reason });
    },
  };
  const { opened, subscription } = await live.subscribe(person.viewer, raw, peer);
  id = opened.channel;
  const earlier = open.get(id);
  if (!socket.connected || (!earlier && open.size >= CHANNELS)) {
    subscription.close();
    throw new AppError('limited', `over ${CHANNELS} channels on one connection`);
  }
  earlier?.close();
  open.set(id, subscription);
  pace.allow(opened);
  return opened;
}

function leave(person: Person, channel: unknown): void {
  if (typeof channel !== 'string') return;
  person.open.get(channel)?.close();
  person.open.delete(channel);
}

function leaveAll({ open }: Person): void {
  for (const subscription of open.values()) subscription.close();
  open.clear();
}

async function reply<Answer>(live: Live, answer: unknown, work: () => Promise<Answer>): Promise<void> {
  if (typeof answer !== 'function') return;
  try {
    answer(await work());
  } catch (error) {
    answer(refusalOf(error, live));
  }
}

/** The one mapper of this edge: what is not ours to tell becomes `internal`. */
function refusalOf(error: unknown, live: Live): NotOpened {
  if (error instanceof AppError) {
    const { code, message, retryAfterMs } = error;
    return { ok: false, code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  live.log.error({ code: 'internal', edge: 'live' }, 'a request failed');
  return { ok: false, code: 'internal', message: 'something went wrong here' };
}

function refuseBig(raw: unknown): void {
  if (Buffer.byteLength(JSON.stringify([raw])) > MESSAGE_BYTES)
    throw new AppError('invalid', `the message is over ${MESSAGE_BYTES} bytes`);
}

/** Throws `limited` at the call that is one too many within the last minute. */
function countPerMinute(most: number, clock: () => number): () => void {
  let times: number[] = [];
  return () => {
    const now = clock();
    times = times.filter((time) => now - time < 60_000);
    const [oldest] = times;
    if (oldest !== undefined && times.length >= most)
      throw new AppError('limited', `over ${most} of these a minute`, {
        retryAfterMs: oldest + 60_000 - now,
      });
    times.push(now);
  };
}

/** A change of access reaches what it concerns: the person's own socket, and channels that draw her or her class. */
async function follow(person: Person, change: AccessChange, viewerOf: ViewerOf): Promise<void> {
  const { viewer, open } = person;
  if (change.sessionId === viewer.sessionId && change.kind === 'session-ended')
    return closeTransport(person.socket, CLOSE.unauthenticated);
  if (ENDS.has(change.kind) && isAbout(change, viewer.personId)) await recheckViewer(person, viewerOf);
  for (const subscription of open.values()) {
    const isConcerned =
      change.classroomId === subscription.classroom ||
      (change.personId !== undefined && subscription.concerns(change.personId)) ||
      (change.classroomId === undefined && change.personId === undefined);
    if (isConcerned) void subscription.recheck(person.viewer);
  }
}

function isAbout(change: AccessChange, personId: string): boolean {
  return change.personId === personId || (change.personId === undefined && change.sessionId === undefined);
}

/** A session that is no longer there ends the connection; a database that is silent does not, the channels decide. */
async function recheckViewer(person: Person, viewerOf: ViewerOf): Promise<void> {
  const { socket } = person;
  try {
    const viewer = await viewerOf(socket.handshake.headers.cookie ?? null, socket.handshake.address);
    if (viewer?.personId === person.viewer.personId) person.viewer = viewer;
    else closeTransport(socket, CLOSE.unauthenticated);
  } catch {
    return;
  }
}

/** Once a second: is somebody stalled, is it time to ask again? */
function look(person: Person, live: Live, viewerOf: ViewerOf): void {
  const { socket, pace, open } = person;
  if (pace.isStalled()) {
    live.measures.stalled += 1;
    live.log.warn({ edge: 'live', bytes: buffered(socket), close: CLOSE.readerStalled }, 'a reader stalled');
    closeTransport(socket, CLOSE.readerStalled);
    return;
  }
  const now = live.clock();
  if (now - person.checkedAt < RECHECK_MS) return;
  person.checkedAt = now;
  void recheckViewer(person, viewerOf).then(() => {
    for (const subscription of open.values()) void subscription.recheck(person.viewer);
  });
}
