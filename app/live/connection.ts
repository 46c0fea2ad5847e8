import { io, type Socket } from 'socket.io-client';
import type { Act, Asked, NotOpened, Subscribe, Told } from '#server/live/protocol.ts';
import { type Feed, type FeedAction, NOTHING_YET, reduceFeed } from './feed.ts';
import { reconnectDelay } from './reconnect-delay.ts';

export type LiveSocket = Socket<Told, Asked>;

/** The rows of one subscription, shared by all components of the tab that ask for the same. */
export type FeedStore = {
  get(): Feed;
  /** The first listener opens the channel, the last one to leave closes it. */
  subscribe(onChange: () => void): () => void;
};

export type Connection = {
  feed(request: Subscribe): FeedStore;
  act(act: Act): Promise<{ readonly ok: true } | NotOpened>;
  close(): void;
};

/** Without an answer for this long the connection is made anew, never asked again. */
const ANSWER_MS = 15_000;
/** A component that mounts again at once finds its channel open. */
const LINGER_MS = 1000;
const RETRY_MS = 5000;
/** Come again later; whatever else is refused stays refused. */
const PASSING = new Set<NotOpened['code']>(['unavailable', 'limited', 'internal']);

type Timer = ReturnType<typeof setTimeout> | undefined;
type Line = {
  readonly key: string;
  readonly request: Subscribe;
  readonly listeners: Set<() => void>;
  feed: Feed;
  isAsking: boolean;
  retry: Timer;
  leaving: Timer;
};
type Core = {
  readonly makeSocket: () => LiveSocket;
  readonly lines: Map<string, Line>;
  socket: LiveSocket | null;
  attempts: number;
  /** This clock, ms: the server asked not to come before. */
  notBefore: number;
  reconnecting: Timer;
};

/** The tab's one connection to `/live`: opened by the first feed, closed with the last, made again by itself. */
export function openConnection(makeSocket: () => LiveSocket): Connection {
  const core: Core = {
    makeSocket,
    lines: new Map(),
    socket: null,
    attempts: 0,
    notBefore: 0,
    reconnecting: undefined,
  };
  return {
    feed(request) {
      const key = JSON.stringify(request);
      return {
        get: () => core.lines.get(key)?.feed ?? NOTHING_YET,
        subscribe: (onChange) => listenTo(core, lineOf(core, key, request), onChange),
      };
    },
    act: (act) => sendAct(core, act),
    close() {
      for (const { retry, leaving } of core.lines.values()) {
        clearTimeout(retry);
        clearTimeout(leaving);
      }
      core.lines.clear();
      closeSocket(core);
    },
  };
}

function lineOf({ lines }: Core, key: string, request: Subscribe): Line {
  const known = lines.get(key);
  if (known) return known;
  const line: Line = {
    key,
    request,
    listeners: new Set(),
    feed: NOTHING_YET,
    isAsking: false,
    retry: undefined,
    leaving: undefined,
  };
  lines.set(key, line);
  return line;
}

function listenTo(core: Core, line: Line, onChange: () => void): () => void {
  line.listeners.add(onChange);
  clearTimeout(line.leaving);
  line.leaving = undefined;
  if (core.socket === null) openSocket(core);
  else if (line.feed.phase !== 'live') ask(core, line);
  return () => {
    line.listeners.delete(onChange);
    if (line.listeners.size === 0) line.leaving = setTimeout(() => leave(core, line), LINGER_MS);
  };
}

function leave(core: Core, line: Line): void {
  if (line.feed.channel !== null) core.socket?.emit('unsubscribe', line.feed.channel);
  clearTimeout(line.retry);
  core.lines.delete(line.key);
  if (core.lines.size === 0) closeSocket(core);
}

function change(line: Line, action: FeedAction): void {
  const next = reduceFeed(line.feed, action);
  if (next === line.feed) return;
  line.feed = next;
  for (const listener of line.listeners) listener();
}

function ask(core: Core, line: Line): void {
  const { socket } = core;
  if (!socket?.connected || line.isAsking) return;
  clearTimeout(line.retry);
  line.isAsking = true;
  socket.timeout(ANSWER_MS).emit('subscribe', line.request, (silence, answer) => {
    if (socket !== core.socket || !line.isAsking) return;
    line.isAsking = false;
    if (silence) socket.disconnect();
    else if (core.lines.get(line.key) !== line) leaveAgain(socket, answer);
    else if (answer.ok) change(line, { type: 'opened', opened: answer, now: Date.now() });
    else end(core, line, answer);
  });
}

/** Everybody had gone before the answer came. */
function leaveAgain(socket: LiveSocket, answer: { readonly ok: boolean; readonly channel?: string }): void {
  if (answer.ok && answer.channel) socket.emit('unsubscribe', answer.channel);
}

function end(core: Core, line: Line, { code, message, retryAfterMs }: Omit<NotOpened, 'ok'>): void {
  change(line, { type: 'ended', code, message });
  if (PASSING.has(code)) line.retry = setTimeout(() => ask(core, line), retryAfterMs ?? RETRY_MS);
}

function openSocket(core: Core): void {
  const socket = core.makeSocket();
  core.socket = socket;
  socket.on('connect', () => {
    core.attempts = 0;
    for (const line of core.lines.values()) ask(core, line);
  });
  socket.on('connect_error', (error) => {
    const { code, retryAfterMs = 0 } = refusalOf(error);
    core.notBefore = Math.max(core.notBefore, Date.now() + retryAfterMs);
    if (code === 'unauthenticated') endAll(core);
    else reconnect(core);
  });
  socket.on('disconnect', () => lose(core));
  socket.on('rows', (delta) => take(core, delta));
  socket.on('refused', ({ channel, code, reason }) => {
    const line = find(core, channel);
    if (line) end(core, line, { code, message: reason });
  });
  socket.on('going-away', ({ reconnectAfterMs }) => {
    core.notBefore = Date.now() + reconnectAfterMs;
  });
  socket.connect();
}

function closeSocket(core: Core): void {
  clearTimeout(core.reconnecting);
  core.socket?.off().disconnect();
  core.socket = null;
  core.attempts = 0;
}

function find({ lines }: Core, channel: string): Line | undefined {
  return [...lines.values()].find(({ feed }) => feed.channel === channel);
}

function take(core: Core, delta: Parameters<Told['rows']>[0]): void {
  const line = find(core, delta.channel);
  if (!line) return;
  change(line, { type: 'rows', delta, now: Date.now() });
  if (line.feed.phase !== 'lost' || line.isAsking) return;
  core.socket?.emit('unsubscribe', delta.channel);
  ask(core, line);
}

function lose(core: Core): void {
  const now = Date.now();
  for (const line of core.lines.values()) {
    clearTimeout(line.retry);
    line.isAsking = false;
    change(line, { type: 'lost', now });
  }
  reconnect(core);
}

function reconnect(core: Core): void {
  clearTimeout(core.reconnecting);
  if (core.lines.size === 0) return;
  const wait = Math.max(reconnectDelay(core.attempts, Math.random()), core.notBefore - Date.now());
  core.attempts += 1;
  core.reconnecting = setTimeout(() => core.socket?.connect(), wait);
}

/** Signed out: nothing is tried again until the page is loaded anew. */
function endAll({ lines }: Core): void {
  const ended = { type: 'ended', code: 'unauthenticated', message: 'the sign-in has ended' } as const;
  for (const line of lines.values()) change(line, ended);
}

async function sendAct({ socket }: Core, act: Act): Promise<{ readonly ok: true } | NotOpened> {
  if (!socket?.connected) return { ok: false, code: 'unavailable', message: 'there is no connection now' };
  try {
    return await socket.timeout(ANSWER_MS).emitWithAck('act', act);
  } catch {
    return { ok: false, code: 'unavailable', message: 'no answer came' };
  }
}

/** What the server says of a connection that it refuses; nothing when there was no server. */
function refusalOf(error: Error): { readonly code?: string; readonly retryAfterMs?: number } {
  return (error as Error & { readonly data?: { readonly code?: string } }).data ?? {};
}

let shared: Connection | undefined;

/** The one of this tab; in the browser only. */
export function tabConnection(): Connection {
  shared ??= openConnection(() =>
    io('/live', { transports: ['websocket'], autoConnect: false, reconnection: false }),
  );
  return shared;
}
