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

type Line = {
  readonly request: Subscribe;
  readonly listeners: Set<() => void>;
  feed: Feed;
  isAsking: boolean;
  retry: ReturnType<typeof setTimeout> | undefined;
  leaving: ReturnType<typeof setTimeout> | undefined;
};

/** The tab's one connection to `/live`: opened by the first feed, closed with the last, made again by itself. */
export function openConnection(makeSocket: () => LiveSocket): Connection {
  const lines = new Map<string, Line>();
  let socket: LiveSocket | null = null;
  let attempts = 0;
  let notBefore = 0;
  let reconnecting: ReturnType<typeof setTimeout> | undefined;

  const change = (line: Line, action: FeedAction) => {
    const next = reduceFeed(line.feed, action);
    if (next === line.feed) return;
    line.feed = next;
    for (const listener of line.listeners) listener();
  };
  const ask = (line: Line) => {
    if (!socket?.connected || line.isAsking || line.leaving) return;
    clearTimeout(line.retry);
    line.isAsking = true;
    const asked = socket;
    asked.timeout(ANSWER_MS).emit('subscribe', line.request, (silence, answer) => {
      line.isAsking = false;
      if (asked !== socket) return;
      if (silence) asked.disconnect();
      else if (line.leaving) {
        if (answer.ok) asked.emit('unsubscribe', answer.channel);
      } else if (answer.ok) change(line, { type: 'opened', opened: answer, now: Date.now() });
      else end(line, answer);
    });
  };
  const end = (line: Line, { code, message, retryAfterMs }: Omit<NotOpened, 'ok'>) => {
    change(line, { type: 'ended', code, message });
    if (PASSING.has(code)) line.retry = setTimeout(() => ask(line), retryAfterMs ?? RETRY_MS);
  };
  const lose = () => {
    const now = Date.now();
    for (const line of lines.values()) {
      clearTimeout(line.retry);
      line.isAsking = false;
      change(line, { type: 'lost', now });
    }
    reconnect();
  };
  const reconnect = () => {
    clearTimeout(reconnecting);
    if (lines.size === 0) return;
    const wait = Math.max(reconnectDelay(attempts, Math.random()), notBefore - Date.now());
    attempts += 1;
    reconnecting = setTimeout(() => socket?.connect(), wait);
  };
  const refuse = (code: NotOpened['code']) => {
    for (const line of lines.values())
      change(line, { type: 'ended', code, message: 'the sign-in has ended' });
  };
  const lineOf = (channel: string) => [...lines.values()].find((line) => line.feed.channel === channel);

  const listen = (made: LiveSocket) => {
    made.on('connect', () => {
      attempts = 0;
      for (const line of lines.values()) ask(line);
    });
    made.on('connect_error', (error) => {
      if (codeOf(error) === 'unauthenticated') refuse('unauthenticated');
      else reconnect();
    });
    made.on('disconnect', lose);
    made.on('rows', (delta) => {
      const line = lineOf(delta.channel);
      if (!line) return;
      change(line, { type: 'rows', delta, now: Date.now() });
      if (line.feed.phase === 'lost' && !line.isAsking) {
        made.emit('unsubscribe', delta.channel);
        ask(line);
      }
    });
    made.on('refused', ({ channel, code, reason }) => {
      const line = lineOf(channel);
      if (line) end(line, { code, message: reason });
    });
    made.on('going-away', ({ reconnectAfterMs }) => {
      notBefore = Date.now() + reconnectAfterMs;
    });
  };
  const open = (line: Line) => {
    clearTimeout(line.leaving);
    line.leaving = undefined;
    if (socket === null) {
      socket = makeSocket();
      listen(socket);
      socket.connect();
    } else if (line.feed.phase !== 'live') ask(line);
  };
  const leave = (key: string, line: Line) => {
    if (line.feed.channel !== null) socket?.emit('unsubscribe', line.feed.channel);
    clearTimeout(line.retry);
    lines.delete(key);
    if (lines.size === 0) closeSocket();
  };
  const closeSocket = () => {
    clearTimeout(reconnecting);
    socket?.off().disconnect();
    socket = null;
    attempts = 0;
  };

  return {
    feed(request) {
      const key = JSON.stringify(request);
      const find = () => {
        const known = lines.get(key);
        if (known) return known;
        const line: Line = {
          request,
          listeners: new Set(),
          feed: NOTHING_YET,
          isAsking: false,
          retry: undefined,
          leaving: undefined,
        };
        lines.set(key, line);
        return line;
      };
      return {
        get: () => lines.get(key)?.feed ?? NOTHING_YET,
        subscribe(onChange) {
          const line = find();
          line.listeners.add(onChange);
          open(line);
          return () => {
            line.listeners.delete(onChange);
            if (line.listeners.size === 0) line.leaving = setTimeout(() => leave(key, line), LINGER_MS);
          };
        },
      };
    },
    async act(act) {
      if (!socket?.connected)
        return { ok: false, code: 'unavailable', message: 'there is no connection now' };
      try {
        return await socket.timeout(ANSWER_MS).emitWithAck('act', act);
      } catch {
        return { ok: false, code: 'unavailable', message: 'no answer came' };
      }
    },
    close() {
      for (const line of lines.values()) {
        clearTimeout(line.retry);
        clearTimeout(line.leaving);
      }
      lines.clear();
      closeSocket();
    },
  };
}

function codeOf(error: Error): unknown {
  const { data } = error as Error & { readonly data?: { readonly code?: unknown } };
  return data?.code;
}

let shared: Connection | undefined;

/** The one of this tab; in the browser only. */
export function tabConnection(): Connection {
  shared ??= openConnection(() =>
    io('/live', { transports: ['websocket'], autoConnect: false, reconnection: false }),
  );
  return shared;
}
