import { connect, type Socket as NetSocket } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { School } from './school.ts';

/** Clients written from the description of the wire alone. */
export type Told = { readonly status: string; readonly [field: string]: unknown };

export type ObserverClient = {
  readonly ws: WebSocket;
  readonly told: readonly Told[];
  readonly closed: Promise<number>;
  send(...frames: (object | string)[]): void;
  /** The next answer to a fetch: everything sent before it has its end. */
  fetch(more?: object): Promise<Told>;
  codes(): unknown[];
};

const ANSWER_MS = 10_000;

export async function connectObserver(
  school: School,
  { path = '/wsapi/in/', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<ObserverClient> {
  const ws = new WebSocket(`ws://127.0.0.1:${school.port}${path}`, { headers });
  const told: Told[] = [];
  const waiting: ((reply: Told) => void)[] = [];
  const closed = new Promise<number>((done) => ws.on('close', done));
  ws.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Told;
    told.push(frame);
    if (frame.status === 'fetch_blob') waiting.shift()?.(frame);
  });
  await new Promise((done, fail) => ws.on('open', done).on('error', fail));
  const send = (...frames: (object | string)[]) => {
    for (const frame of frames) ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  };
  return {
    ws,
    told,
    closed,
    send,
    fetch(more = {}) {
      const reply = new Promise<Told>((done) => waiting.push(done));
      send({ event: 'fetch_blob', ...more });
      return inTime(reply);
    },
    codes: () => told.filter(({ status }) => status === 'answer').map(({ code }) => code),
  };
}

export type BatchAnswer = { readonly type: string; readonly [field: string]: unknown };
export type BatchClient = { readonly socket: Socket; ask(message: object): Promise<BatchAnswer> };

export async function connectBatches(
  school: School,
  auth: object,
  headers: Record<string, string> = {},
): Promise<BatchClient> {
  const socket = io(`http://127.0.0.1:${school.port}/ingest`, {
    auth,
    extraHeaders: headers,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  await inTime(new Promise<void>((done, fail) => socket.on('connect', done).on('connect_error', fail)));
  return {
    socket,
    ask: (message) => inTime(new Promise((done) => socket.emit('m', JSON.stringify(message), done))),
  };
}

/** What an upgrade is answered with: the status, or `cut` where no byte came. */
export function upgrade(
  port: number,
  target: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const net = connect(port, '127.0.0.1');
  const all = {
    Host: `localhost:${port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return statusOf(net, `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
}

/** What a request without a body is answered with: the status, or `cut` where no byte came. */
export function ask(port: number, requestLine: string, host: string): Promise<string> {
  return statusOf(connect(port, '127.0.0.1'), `${requestLine}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}

function statusOf(net: NetSocket, request: string): Promise<string> {
  net.write(request);
  net.on('error', () => {});
  const answer = new Promise<string>((done) => {
    net.once('data', (chunk) => {
      net.destroy();
      done(/^HTTP\/1.1 (\d+)/.exec(chunk.toString('latin1'))?.[1] ?? 'no http');
    });
    net.once('close', () => done('cut'));
  });
  return inTime(answer);
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error('no answer in time')), ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
