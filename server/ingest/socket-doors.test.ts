import { io } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { connected, openTestServer, type TestServer } from './ingest-server.bench.ts';

let server: TestServer;
afterEach(() => server.close());

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
