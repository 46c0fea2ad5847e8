import { createServer, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Server } from 'socket.io';
import { io as connect, type Socket } from 'socket.io-client';
import { afterEach, expect, test } from 'vitest';
import { ADDRESS_HEADER } from './address.ts';
import { slimRequests } from './slim-requests.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve() {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  slimRequests(server);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  ends.push(() => server.close());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const extraHeaders = { cookie: 'a=b', origin: url, [ADDRESS_HEADER]: '10.0.0.1', 'x-other': 'c' };
  const enter = async (namespace: string): Promise<Socket> => {
    const socket = connect(url + namespace, { transports: ['websocket'], extraHeaders });
    ends.push(() => socket.disconnect());
    await new Promise((done) => socket.once('connect', () => done(undefined)));
    return socket;
  };
  return { http, server, url, enter };
}

test('a second namespace on the same connection knows who it is and from where', async () => {
  const { server, url, enter } = await serve();
  server.of('/one');
  const heard = new Promise((done) => {
    server.of('/two').on('connection', ({ handshake, request }) => done({ handshake, request }));
  });
  await enter('/one');
  await enter('/two');
  const { handshake, request } = (await heard) as { handshake: any; request: IncomingMessage };
  expect(handshake.headers).toEqual({ cookie: 'a=b', origin: url, [ADDRESS_HEADER]: '10.0.0.1' });
  expect(handshake.address).toBe('127.0.0.1');
  expect(handshake.secure).toBe(false);
  expect(request).not.toBeInstanceOf(IncomingMessage);
  expect(request.socket.remoteAddress).toBe('127.0.0.1');
});

test('the request itself is not kept while its connection stands', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const { http, enter } = await serve();
  const requests: WeakRef<IncomingMessage>[] = [];
  http.on('upgrade', (request) => requests.push(new WeakRef(request)));
  const sockets = [await enter('/'), await enter('/'), await enter('/')];
  // The parser of a connection holds its last request until the next one needs it.
  for (let i = 0; i < 50 && requests.some((one) => one.deref()); i++) {
    await new Promise((done) => setTimeout(done, 20));
    collect();
  }
  expect(sockets.every(({ connected }) => connected)).toBe(true);
  expect(requests).toHaveLength(3);
  expect(requests.filter((one) => one.deref())).toHaveLength(0);
});
