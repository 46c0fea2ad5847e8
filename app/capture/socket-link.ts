import { io, type Socket } from 'socket.io-client';
import { reconnectDelay } from '#app/live/reconnect-delay.ts';
import type { Answer, Pushed } from '#server/ingest/protocol.ts';
import type { Link, Sender } from './sender.ts';

type Asked = { m(text: string, answer: (answer: Answer) => void): void };

const ANSWER_MS = 15_000;
/**
 * The page's own ingest connection: the sign-in cookie proves who writes. No answer in 15 s drops the connection; a
 * message is never sent twice on one.
 */
export function openSocketLink({
  client,
  senderOf,
}: {
  readonly client: { readonly name: string; readonly version: string };
  readonly senderOf: () => Sender;
}): {
  readonly link: Link;
  close(): void;
} {
  const socket: Socket<Pushed, Asked> = io('/ingest', {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { client },
  });
  let attempt = 0;
  let notBeforeMs = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  const again = () => {
    if (isClosed) return;
    clearTimeout(timer);
    timer = setTimeout(
      () => socket.connect(),
      Math.max(notBeforeMs, reconnectDelay(attempt++, Math.random())),
    );
    notBeforeMs = 0;
  };
  const now = () => {
    attempt = 0;
    if (!socket.connected && !isClosed) {
      clearTimeout(timer);
      socket.connect();
    }
  };
  socket.on('connect', () => {
    attempt = 0;
    senderOf().onConnect();
  });
  socket.on('disconnect', () => {
    senderOf().onDisconnect();
    again();
  });
  socket.on('connect_error', (error) => {
    const { retryAfterMs } = ((error as { data?: { retryAfterMs?: number } }).data ?? {}) as {
      retryAfterMs?: number;
    };
    notBeforeMs = Math.max(notBeforeMs, retryAfterMs ?? 0);
    senderOf().onDisconnect();
    again();
  });
  socket.on('slow', ({ ms }) => senderOf().onSlow(ms));
  socket.on('policy', ({ action, reason }) => senderOf().onPolicy(action, reason));
  socket.on('stop', ({ code }) => senderOf().onStop(code));
  socket.on('going-away', ({ reconnectAfterMs }) => {
    notBeforeMs = reconnectAfterMs;
  });
  addEventListener('online', now);

  return {
    link: {
      async send(message) {
        try {
          return await socket.timeout(ANSWER_MS).emitWithAck('m', JSON.stringify(message));
        } catch (error) {
          socket.disconnect();
          again();
          throw error;
        }
      },
      reconnect(afterMs) {
        notBeforeMs = Math.max(notBeforeMs, afterMs);
        socket.disconnect();
        again();
      },
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      removeEventListener('online', now);
      socket.disconnect();
    },
  };
}
