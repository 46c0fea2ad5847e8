import { WebSocket } from 'ws';
import { seededRandom } from '#server/simulate/random.ts';
import { capture } from './captured.ts';
import type { SocketLedger } from './ledger.ts';

export type ObserverClient = {
  /** One for each socket that it opened. */
  readonly sockets: readonly SocketLedger[];
  stopCapturing(): void;
  /** Resolves when the socket that is open has told the end of every frame. */
  settled(): Promise<void>;
  moveTo(url: string): void;
  close(): void;
};

type Told = {
  readonly status?: string;
  readonly result?: string;
  readonly frame?: number;
  /** First and last of a sum; which of the frames between are meant is not said. */
  readonly frames?: readonly [number, number];
};

const FRAMES_A_TICK = 4;
const TICK_MS = 20;
const MOST_BUFFERED = 64 * 1024;
const RETRY_MS = 100;

/**
 * A client of the protocol of Learning Observer (wire.md part A) with `answers: "all"`. It keeps nothing: what was not told
 * of when its socket closes may be in the archive or not, once or never, but not twice. A tag in each event tells them apart.
 */
export function openObserverClient(options: {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly student: string;
  readonly seed: number;
}): ObserverClient {
  const random = seededRandom(options.seed);
  const sockets: SocketLedger[] = [];
  let url = options.url;
  let ws: WebSocket | undefined;
  let n = 0;
  let isCapturing = true;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;
  let waiting: (() => void)[] = [];
  /** Has the open socket told the end of every frame? */
  let isSettled = () => true;

  async function connect(): Promise<void> {
    const token = await options.token();
    if (isClosed) return;
    const opened = new WebSocket(`${url.replace('http', 'ws')}/wsapi/in/`, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    ws = opened;
    let frame = 0;
    let timer: NodeJS.Timeout | undefined;
    const ledger: SocketLedger = { student: options.student, frames: new Map(), acknowledged: 0 };
    opened.on('error', () => {});
    opened.on('open', () => {
      sockets.push(ledger);
      isSettled = () => ledger.acknowledged >= frame;
      frame += 1;
      opened.send(JSON.stringify({ event: 'lock_fields', fields: { source: 'proof', answers: 'all' } }));
      timer = setInterval(() => {
        for (let i = 0; i < FRAMES_A_TICK && isCapturing && opened.bufferedAmount < MOST_BUFFERED; i += 1)
          sendOne();
      }, TICK_MS);
    });
    opened.on('message', (data) => hear(ledger, JSON.parse(String(data)) as Told, () => frame));
    opened.on('close', () => {
      clearInterval(timer);
      if (ws === opened) ws = undefined;
      isSettled = () => true;
      for (const done of waiting.splice(0)) done();
      if (!isClosed) retry = setTimeout(() => void connect(), RETRY_MS);
    });

    function sendOne(): void {
      n += 1;
      frame += 1;
      const tag = `${options.student}/${options.seed}/${n}`;
      const { sent, kind } = capture(random, n, Date.now(), tag);
      ledger.frames.set(frame, { tag, kind, told: 'unknown' });
      opened.send(JSON.stringify({ event: sent.event, ts: sent.sentAt, ...sent.body }));
    }
  }

  function hear(ledger: SocketLedger, told: Told, newest: () => number): void {
    if (told.status !== 'answer') return;
    if (told.result === 'stored') {
      ledger.acknowledged = Math.max(ledger.acknowledged, told.frame ?? 0);
      if (ledger.acknowledged >= newest() && !isCapturing) for (const done of waiting.splice(0)) done();
      return;
    }
    const [first, last] = told.frames ?? [told.frame ?? 0, told.frame ?? 0];
    const isSum = told.frames !== undefined;
    for (let n = first; n <= last; n += 1) {
      const row = ledger.frames.get(n);
      // Of a sum of refusals any may be meant; a good frame in a sum of bad ones is not.
      if (row && (!isSum || told.result === 'refused')) row.told = told.result as typeof row.told;
    }
  }

  void connect();
  return {
    sockets,
    stopCapturing() {
      isCapturing = false;
    },
    settled: () => (isSettled() ? Promise.resolve() : new Promise((done) => waiting.push(done))),
    moveTo(to) {
      url = to;
      ws?.terminate();
    },
    close() {
      isClosed = true;
      clearTimeout(retry);
      ws?.terminate();
      waiting = [];
    },
  };
}
