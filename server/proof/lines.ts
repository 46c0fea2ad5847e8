import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { Answer } from '#server/ingest/protocol.ts';

/** One connection of a client with ids, whatever carries it. */
export type Line = {
  /** How many batches may be on their way at once. */
  readonly mostFlights: number;
  /** Can the server tell it anything but answers? */
  readonly hearsPushes: boolean;
  /** `hold`: what a request without a `hello` of its own says beside its batch (wire.md part D). */
  ask(message: Message, hold: Hold, answer: (answer: Answer) => void): void;
  /** Ends the connection below all protocols, mid-frame where a frame is on its way. */
  cut(): void;
};

export type Message = Readonly<Record<string, unknown>>;
export type Hold = { readonly oldest: number; readonly now: number };

export type LineEvents = {
  readonly onOpen: () => void;
  /** Once; whatever was asked and not answered never will be. */
  readonly onLost: () => void;
  readonly onPushed: (name: string, message: { readonly code?: string }) => void;
};

export type OpenLine = (url: string, token: string, events: LineEvents) => Line;

/** As wire.md part B says: no answer by then, and the connection is given up. */
const ANSWER_MS = 15_000;
const PUSHED = ['slow', 'stop', 'going-away', 'policy', 'reauth'];

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}

/** Socket.IO, namespace `/ingest`. */
export const socketLine: OpenLine = (url, token, events) => {
  const socket = io(`${url}/ingest`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token, client: { name: 'proof', version: '1' } },
  });
  const lost = once(() => {
    socket.close();
    events.onLost();
  });
  socket.on('connect', events.onOpen);
  socket.on('disconnect', lost);
  socket.on('connect_error', lost);
  for (const name of PUSHED) socket.on(name, (message: object) => events.onPushed(name, message));
  return {
    mostFlights: Number.POSITIVE_INFINITY,
    hearsPushes: true,
    ask(message, _hold, answer) {
      socket.timeout(ANSWER_MS).emit('m', JSON.stringify(message), (error: Error | null, given: Answer) => {
        if (error) lost();
        else answer(given);
      });
    },
    cut() {
      const { transport } = socket.io.engine as unknown as { readonly transport?: { ws?: Terminable } };
      transport?.ws?.terminate?.();
      lost();
    },
  };
};

type Terminable = { terminate?(): void };

/** The plain WebSocket with the sub-protocol of part B: answers come in the order of what was asked. */
export const plainLine: OpenLine = (url, token, events) => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/wsapi/in/`, ['learning-observer.1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const asked: { readonly answer: (answer: Answer) => void; readonly timer: NodeJS.Timeout }[] = [];
  const lost = once(() => {
    for (const { timer } of asked) clearTimeout(timer);
    ws.terminate();
    events.onLost();
  });
  ws.on('open', events.onOpen);
  ws.on('error', lost);
  ws.on('close', lost);
  ws.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Answer | { readonly type: string; readonly code?: string };
    if (PUSHED.includes(frame.type)) return events.onPushed(frame.type, frame as { readonly code?: string });
    const next = asked.shift();
    clearTimeout(next?.timer);
    next?.answer(frame as Answer);
  });
  return {
    mostFlights: Number.POSITIVE_INFINITY,
    hearsPushes: true,
    ask(message, _hold, answer) {
      asked.push({ answer, timer: setTimeout(lost, ANSWER_MS) });
      ws.send(JSON.stringify(message));
    },
    cut: lost,
  };
};

/** `POST /api/events`: one request a batch, each with a `hello` inside it, one at a time. */
export const httpLine: OpenLine = (url, token, events) => {
  const ended = new AbortController();
  const lost = once(() => {
    ended.abort();
    events.onLost();
  });
  const post = async (message: Message, hold: Hold): Promise<Answer> => {
    const response = await fetch(`${url}/api/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...message, ...hold }),
      signal: AbortSignal.any([ended.signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    const answer = (await response.json()) as Answer;
    if (answer.type === undefined) throw new Error(`status ${response.status}`);
    return answer;
  };
  setImmediate(events.onOpen);
  return {
    mostFlights: 1,
    hearsPushes: false,
    ask(message, hold, answer) {
      const limits = { frameBytes: 0, events: 0, unansweredEvents: 0, unansweredBytes: 0 };
      if (message.type === 'hello') answer({ type: 'welcome', next: hold.oldest, at: hold.now, limits });
      else post(message, hold).then((given) => !ended.signal.aborted && answer(given), lost);
    },
    cut: lost,
  };
};
