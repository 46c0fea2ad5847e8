import { connect, type Socket } from 'node:net';

/** One kind of connection: how it begins, what it sends, and what an answer looks like. */
export type Dialect = {
  readonly path: string;
  readonly headers: (connection: number) => readonly string[];
  /** Frames to send one after another, each after this beginning of a frame was heard. */
  readonly greeting: (connection: number) => readonly (readonly [heard: string, send: string])[];
  /** The last thing heard before data may be sent; empty: nothing is heard first. */
  readonly ready: string;
  readonly message: (connection: number, seq: number) => string;
  readonly answer: string;
  /** What begins like an answer and is none: it answers no event. */
  readonly otherAnswer?: string;
  readonly host?: string;
  /** The loopback address that a connection comes from; default 127.0.0.1. */
  readonly from?: (connection: number) => string;
  /** Everything that is heard once data may be sent. */
  readonly onHeard?: (connection: number, payload: string, send: (text: string) => void) => void;
};

export type Load = {
  /** Sends without pause, one frame outstanding each; then waits until all are answered, 5 s at most. */
  run(ms: number): Promise<void>;
  /** Sends so many frames a second in all, evenly; gives the sorted waiting times in ms. */
  pace(perSecond: number, ms: number): Promise<number[]>;
  close(): void;
};

type Client = {
  readonly socket: Socket;
  readonly number: number;
  seq: number;
  sentAt: number;
  isBusy: boolean;
  isReady: boolean;
  heard: string;
};

const TEXT = '\x81';
const PING = '\x89';

/** A masked text frame whose mask is zero: legal, and it leaves the text as it is, so that the load costs little. */
export function frame(text: string): string {
  const { length } = text;
  const size =
    length < 126
      ? String.fromCharCode(0x80 | length)
      : `\xfe${String.fromCharCode(length >> 8, length & 255)}`;
  return `${TEXT}${size}\0\0\0\0${text}`;
}

/** Speaks WebSocket by hand over many sockets. Texts are ASCII, so that a character is a byte. */
export async function openLoad(port: number, dialect: Dialect, connections: number): Promise<Load> {
  let onAnswer: (client: Client) => void = () => {};
  const clients: Client[] = [];
  for (let from = 0; from < connections; from += 100) {
    const some = Array.from({ length: Math.min(100, connections - from) }, (_, i) => open(from + i));
    clients.push(...(await Promise.all(some)));
  }

  function open(number: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const localAddress = dialect.from?.(number) ?? '127.0.0.1';
      const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
      const client: Client = { socket, number, seq: 0, sentAt: 0, isBusy: false, isReady: false, heard: '' };
      const steps = [...dialect.greeting(number)];
      const step = (text: string) => {
        const next = steps[0];
        if (next && text.startsWith(next[0])) {
          steps.shift();
          socket.write(frame(next[1]), 'latin1');
        } else if (text.startsWith(dialect.ready) && steps.length === 0) {
          client.isReady = true;
          resolve(client);
        } else reject(new Error(`unexpected: ${text.slice(0, 200)}`));
      };
      let isUpgraded = false;
      socket.on('error', reject);
      socket.on('data', (bytes) => {
        let text = client.heard + bytes.toString('latin1');
        if (!isUpgraded) {
          const end = text.indexOf('\r\n\r\n');
          if (end < 0) {
            client.heard = text;
            return;
          }
          if (!text.startsWith('HTTP/1.1 101')) reject(new Error(text.slice(0, 100)));
          isUpgraded = true;
          text = text.slice(end + 4);
          if (dialect.ready === '' || steps[0]?.[0] === '') step('');
        }
        client.heard = readFrames(text, (payload) => {
          if (!client.isReady) {
            step(payload);
            return;
          }
          dialect.onHeard?.(number, payload, (given) => void socket.write(frame(given), 'latin1'));
          if (payload === '2') socket.write(frame('3'), 'latin1');
          else if (isAnswer(dialect, payload)) onAnswer(client);
        });
      });
      const headers = [
        `Host: ${dialect.host ?? 'bench'}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
      ];
      const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
      socket.write(
        `GET ${dialect.path} HTTP/1.1\r\n${[...headers, key, ...dialect.headers(number)].join('\r\n')}\r\n\r\n`,
      );
    });
  }

  function send(client: Client): void {
    client.seq += 1;
    client.isBusy = true;
    client.sentAt = performance.now();
    client.socket.write(frame(dialect.message(client.number, client.seq)), 'latin1');
  }

  return {
    async run(ms) {
      let isOver = false;
      onAnswer = (client) => {
        client.isBusy = false;
        if (!isOver) send(client);
      };
      for (const client of clients) if (!client.isBusy) send(client);
      await sleep(ms);
      isOver = true;
      await quiet(clients);
    },
    async pace(perSecond, ms) {
      const waits: number[] = [];
      onAnswer = (client) => {
        client.isBusy = false;
        waits.push(performance.now() - client.sentAt);
      };
      const startedAt = performance.now();
      let sent = 0;
      while (performance.now() - startedAt < ms) {
        const due = ((performance.now() - startedAt) / 1000) * perSecond;
        for (; sent < due; sent++) {
          const client = clients[sent % clients.length];
          if (client && !client.isBusy) send(client);
        }
        await sleep(1);
      }
      await quiet(clients);
      return waits.sort((a, b) => a - b);
    },
    close() {
      for (const { socket } of clients) socket.destroy();
    },
  };
}

export function isAnswer({ answer, otherAnswer }: Dialect, payload: string): boolean {
  return payload.startsWith(answer) && (otherAnswer === undefined || !payload.startsWith(otherAnswer));
}

/** Gives the rest that is no whole frame yet. */
export function readFrames(text: string, hear: (payload: string) => void): string {
  let at = 0;
  while (at + 2 <= text.length) {
    let length = text.charCodeAt(at + 1);
    let from = at + 2;
    if (length === 126) {
      length = (text.charCodeAt(at + 2) << 8) | text.charCodeAt(at + 3);
      from += 2;
    } else if (length === 127) {
      length = text.charCodeAt(at + 7) * 2 ** 16 + (text.charCodeAt(at + 8) << 8) + text.charCodeAt(at + 9);
      from += 8;
    }
    if (!(from + length <= text.length)) break;
    if (text[at] !== PING) hear(text.slice(from, from + length));
    at = from + length;
  }
  return text.slice(at);
}

export async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function quiet(clients: readonly Client[]): Promise<void> {
  const until = performance.now() + 5_000;
  while (clients.some(({ isBusy }) => isBusy) && performance.now() < until) await sleep(20);
}
