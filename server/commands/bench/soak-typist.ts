import { connect, type Socket } from 'node:net';
import { frame, readFrames } from './ingest-load.ts';
import { batchOf, helloOf } from './soak-load.ts';
import { HOST } from './soak-server.ts';

/** A student's device that comes back by itself and sends again what was not acknowledged (wire.md part B), by hand over a bare socket. */
export type Typist = {
  /** Captures an event and sends it where there is a connection. */
  type(): void;
  /** Cuts the connection without a word. */
  drop(): void;
  close(): void;
  isWelcome(): boolean;
  /** Acknowledged, of so many that were captured. */
  acknowledged(): number;
  captured(): number;
  /** When it first tried to come back after it was cut last; `performance.now()`. */
  triedAt(): number;
};

export type TypistOptions = {
  readonly port: number;
  readonly number: number;
  readonly token: string;
  /** The loopback address that it comes from. */
  readonly from: string;
  /** Hears everything that is no acknowledgement, and why a connection was not made. */
  readonly onRefused: (what: string) => void;
};

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const KEY = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', KEY];
const GET = 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1';
const HELLO_ACK = 0;

export function openTypist({ port, number, token, from, onRefused }: TypistOptions): Typist {
  let socket: Socket | undefined;
  let isWelcome = false;
  let isClosed = false;
  let captured = 0;
  let acknowledged = 0;
  let sent = 0;
  let tries = 0;
  let triedAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const say = (text: string) => void socket?.write(frame(text), 'latin1');
  const ask = (ack: number, message: object) =>
    say(`42/ingest,${ack}["m",${JSON.stringify(JSON.stringify(message))}]`);

  function come(): void {
    if (tries === 0) triedAt = performance.now();
    tries += 1;
    const opened = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
    socket = opened;
    let rest = '';
    let isUpgraded = false;
    opened.on('error', () => {});
    opened.on('close', () => lost(opened));
    opened.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      if (!isUpgraded) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        isUpgraded = rest.startsWith('HTTP/1.1 101');
        if (!isUpgraded) {
          onRefused(rest.slice(9, 12));
          return opened.destroy();
        }
        rest = rest.slice(end + 4);
      }
      rest = readFrames(rest, (text) => opened === socket && heard(text));
    });
    opened.write(`${[GET, `Host: ${HOST}`, ...UPGRADE].join('\r\n')}\r\n\r\n`);
  }

  function heard(text: string): void {
    if (text === '2') say('3');
    else if (text.startsWith('0{')) say(`40/ingest,${JSON.stringify({ token })}`);
    else if (text.startsWith('40/ingest')) ask(HELLO_ACK, helloOf(number, acknowledged + 1));
    else if (text.startsWith('43/ingest,')) answered(text.slice(text.indexOf('[')));
    else if (text.startsWith('44/ingest')) {
      onRefused(text);
      const { retryAfterMs = 0 } = JSON.parse(text.slice(10)).data ?? {};
      socket?.destroy();
      again(retryAfterMs);
    }
  }

  function answered(text: string): void {
    const [answer] = JSON.parse(text);
    if (answer.type === 'welcome') {
      isWelcome = true;
      tries = 0;
      acknowledged = Math.max(acknowledged, answer.next - 1);
      sent = acknowledged;
      send();
    } else if (answer.type === 'stored' && answer.bad.length === 0) acknowledged = answer.upTo;
    else onRefused(text);
  }

  function send(): void {
    while (isWelcome && sent < captured) {
      sent += 1;
      ask(sent, batchOf(number, sent));
    }
  }

  function lost(which: Socket): void {
    if (which !== socket || isClosed) return;
    socket = undefined;
    isWelcome = false;
    again(0);
  }

  /** Part B: after a random part of a time that doubles, and never before the server said. */
  function again(atLeastMs: number): void {
    socket = undefined;
    clearTimeout(timer);
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
    timer = setTimeout(come, Math.max(atLeastMs, Math.random() * most));
  }

  come();
  return {
    type() {
      captured += 1;
      send();
    },
    drop() {
      tries = 0;
      socket?.destroy();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
    isWelcome: () => isWelcome,
    acknowledged: () => acknowledged,
    captured: () => captured,
    triedAt: () => triedAt,
  };
}
