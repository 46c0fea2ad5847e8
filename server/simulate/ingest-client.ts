import { randomBytes } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { Answer, Sent } from '#server/ingest/protocol.ts';

export type Waiting = {
  readonly source: string;
  readonly event: string;
  readonly sentAt: number;
  readonly body: Readonly<Record<string, unknown>>;
};

/** A device that keeps what it captured until the server has stored it (wire.md part B). */
export type IngestClient = {
  capture(event: Waiting): void;
  /** Events captured and not yet stored. */
  waiting(): number;
  /** Resolves when everything captured so far is stored. */
  settled(): Promise<void>;
  /** Unplugs or plugs in the network; what is captured meanwhile is kept. */
  setNetwork(isUp: boolean): void;
  close(): void;
};

const FRAME_EVENTS = 64;
const FRAME_CHARACTERS = 48_000;
const ANSWER_MS = 15_000;

/** `token` is asked at each connection and when the server wants a new one. `from`: a loopback address to connect from. */
export function openIngestClient({
  url,
  token,
  name,
  clock = Date.now,
}: {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly name: string;
  readonly clock?: () => number;
}): IngestClient {
  const producer = randomBytes(16).toString('base64url');
  const held: Waiting[] = [];
  let oldest = 1;
  let isSending = false;
  let isWelcome = false;
  let isUp = true;
  let attempt = 0;
  let timer: NodeJS.Timeout | undefined;
  let notBefore = 0;
  let listeners: (() => void)[] = [];

  const socket: Socket = io(`${url}/ingest`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    autoConnect: false,
    auth: (give) => void token().then((value) => give({ token: value, client: { name, version: '1' } })),
  });
  const ask = (message: object): Promise<Answer> =>
    socket.timeout(ANSWER_MS).emitWithAck('m', JSON.stringify(message));

  const retry = (minimumMs = 0) => {
    if (!isUp) return;
    clearTimeout(timer);
    timer = setTimeout(
      () => socket.connect(),
      Math.max(minimumMs, Math.random() * Math.min(30_000, 500 * 2 ** attempt++)),
    );
  };

  async function greet(): Promise<void> {
    const answer = await ask({ v: 1, type: 'hello', producer, epoch: 1, oldest, now: clock() });
    if (answer.type !== 'welcome')
      throw new Error(`not welcome: ${answer.type === 'refused' ? answer.code : answer.type}`);
    drop(answer.next - 1);
    isWelcome = true;
    attempt = 0;
  }

  function drop(upTo: number): void {
    held.splice(0, Math.max(0, upTo - oldest + 1));
    oldest = Math.max(oldest, upTo + 1);
    if (held.length === 0) {
      for (const listener of listeners) listener();
      listeners = [];
    }
  }

  function frame(): Sent[] {
    const sent: Sent[] = [];
    let characters = 0;
    for (const { source, event, sentAt, body } of held) {
      if (source !== held[0]?.source || sent.length === FRAME_EVENTS) break;
      characters += JSON.stringify(body).length + 64;
      if (sent.length > 0 && characters > FRAME_CHARACTERS) break;
      sent.push({ event, sentAt, body: body as Sent['body'] });
    }
    return sent;
  }

  async function sendAll(): Promise<void> {
    if (isSending || !isWelcome) return;
    isSending = true;
    try {
      while (held.length > 0 && isWelcome) {
        const pause = notBefore - clock();
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
        heed(
          await ask({
            v: 1,
            type: 'events',
            producer,
            epoch: 1,
            from: oldest,
            source: held[0]?.source,
            events: frame(),
          }),
        );
      }
    } catch {
      socket.disconnect(); // no answer: everything is kept and sent on a fresh connection
    } finally {
      isSending = false;
    }
  }

  function heed(answer: Answer): void {
    if (answer.type === 'stored') {
      drop(answer.upTo);
      if (answer.slowDownMs) notBefore = clock() + answer.slowDownMs;
    } else if (answer.type === 'refused') notBefore = clock() + (answer.retryAfterMs ?? 1000);
    else throw new Error(`unexpected answer: ${answer.type}`);
  }

  socket.on('connect', () => void greet().then(sendAll, () => socket.disconnect()));
  socket.on('disconnect', () => {
    isWelcome = false;
    retry(notBefore - clock());
  });
  socket.on('connect_error', (error) =>
    retry((error as { data?: { retryAfterMs?: number } }).data?.retryAfterMs),
  );
  socket.on('slow', ({ ms }: { ms: number }) => {
    notBefore = Math.max(notBefore, clock() + ms);
  });
  socket.on(
    'reauth',
    () =>
      void token()
        .then((value) => ask({ v: 1, type: 'token', token: value }))
        .catch(() => undefined),
  );
  socket.on('going-away', ({ reconnectAfterMs }: { reconnectAfterMs: number }) => {
    notBefore = clock() + reconnectAfterMs;
  });
  socket.connect();

  return {
    capture(event) {
      held.push(event);
      void sendAll();
    },
    waiting: () => held.length,
    settled: () =>
      held.length === 0 ? Promise.resolve() : new Promise((resolve) => listeners.push(resolve)),
    setNetwork(up) {
      isUp = up;
      clearTimeout(timer);
      if (up) socket.connect();
      else socket.disconnect();
    },
    close() {
      isUp = false;
      clearTimeout(timer);
      socket.disconnect();
    },
  };
}
