import { IncomingMessage } from 'node:http';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ask,
  batch,
  connected,
  hello,
  openTestServer,
  save,
  type TestServer,
} from './ingest-server.bench.ts';

let server: TestServer;
afterEach(() => server.close());

describe('/ingest over Socket.IO', () => {
  it('B07 lets nobody in without a proof, and no cookie of a page that is not listed', async () => {
    server = await openTestServer();
    expect(await connected(server.connect({}))).toMatchObject({ data: { code: 'unauthenticated' } });
    expect(await connected(server.connect({ token: 'live' }))).toMatchObject({
      data: { code: 'unauthenticated' },
    });
    const cookie = { cookie: 'session=ada' };
    expect(await connected(server.connect({}, cookie))).toMatchObject({ data: { code: 'unauthenticated' } });
    expect(await connected(server.connect({}, { ...cookie, origin: 'http://evil.test' }))).not.toBeNull();
    expect(
      await connected(server.connect({}, { ...cookie, origin: 'chrome-extension://abc' })),
    ).not.toBeNull();
    expect(await connected(server.connect({}, { ...cookie, origin: 'http://pad.test' }))).toBeNull();
  });

  it('keeps neither the token nor the request of who is in', async () => {
    server = await openTestServer();
    const socket = server.connect();
    await connected(socket);
    expect(await ask(socket, hello())).toMatchObject({ type: 'welcome' });
    const [inside] = server.inside();
    expect(inside?.handshake).toMatchObject({ auth: {}, headers: {}, address: '', url: '' });
    expect(inside?.request).not.toBeInstanceOf(IncomingMessage);
  });

  it('B08 asks for a new token and ends with the old one', async () => {
    server = await openTestServer();
    server.world.expiresAt = Date.now() + 60_300;
    const socket = server.connect();
    const expiring = server.connect({ token: 'token-bo' });
    const reauth = new Promise((resolve) => socket.on('reauth', resolve));
    await ask(socket, hello());
    expect(await reauth).toEqual({ expiresAt: server.world.expiresAt });
    server.world.expiresAt = Date.now() + 900_000;
    expect(await ask(socket, { v: 1, type: 'token', token: 'token-ada' })).toMatchObject({ type: 'stored' });
    expect(await ask(socket, batch(1, [save(1)]))).toMatchObject({ upTo: 1 });
    const stop = new Promise((resolve) => expiring.on('stop', resolve));
    const closed = new Promise((resolve) => expiring.on('disconnect', resolve));
    const refused = ask(expiring, { v: 1, type: 'token', token: 'token-ada' });
    expect(await refused).toMatchObject({ type: 'refused', code: 'unauthenticated' });
    expect(await stop).toEqual({ code: 'unauthenticated' });
    await closed;
    expect(JSON.stringify(await server.everything())).not.toContain('token-');
  });

  it('B08 ends with its token when no new one comes', async () => {
    server = await openTestServer();
    server.world.expiresAt = Date.now() + 300;
    const socket = server.connect();
    const stop = new Promise((resolve) => socket.on('stop', resolve));
    const closed = new Promise((resolve) => socket.on('disconnect', resolve));
    expect(await stop).toEqual({ code: 'unauthenticated' });
    await closed;
    expect(Date.now()).toBeGreaterThanOrEqual(server.world.expiresAt);
  });

  it('ends the connections of a withdrawn credential or student, and no others', async () => {
    server = await openTestServer();
    const [ada, bo, cy] = ['ada', 'bo', 'cy'].map((name) => server.connect({ token: `token-${name}` }));
    if (!ada || !bo || !cy) throw new Error('no sockets');
    await Promise.all([ada, bo, cy].map(connected));
    const ends = [ada, bo].map((socket) => new Promise((resolve) => socket.on('disconnect', resolve)));
    const stop = new Promise((resolve) => ada.on('stop', resolve));
    server.ingest.disconnect({ credential: 'installation-ada' }, 'revoked');
    server.ingest.disconnect({ student: 'bo' }, 'revoked');
    expect(await stop).toEqual({ code: 'revoked' });
    await Promise.all(ends);
    expect(await ask(cy, hello())).toMatchObject({ type: 'welcome' });
  });
});

describe('Socket.IO', () => {
  it('ends a connection that sends what nobody listens to, since nobody would answer', async () => {
    server = await openTestServer();
    const socket = server.connect();
    await connected(socket);
    const ended = new Promise((resolve) => socket.once('disconnect', resolve));
    socket.emit('message', '{}', () => {});
    await ended;
    await expect.poll(() => [...server.ingest.connections()].length).toBe(0);
  });

  it('serves nobody in the namespace that it makes by itself', async () => {
    server = await openTestServer();
    const socket = io(`http://127.0.0.1:${server.port}/`, { transports: ['websocket'], reconnection: false });
    const error = await connected(socket);
    expect(error).toMatchObject({ data: { code: 'not-found' } });
    socket.close();
  });
});
