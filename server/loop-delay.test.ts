import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openHttpServer } from './http-server.ts';
import { type LoopDelay, openLoopDelay } from './loop-delay.ts';

const EVERY_MS = 20;
let delay: LoopDelay | undefined;
let isClosed = false;

/** A loop that is late when the test says so. */
function openLoop() {
  let now = 0;
  let tick = () => {};
  isClosed = false;
  delay = openLoopDelay(
    () => now,
    (given) => {
      tick = given;
      return () => {
        isClosed = true;
      };
    },
  );
  const run = (ticks: number, lateMs = 0) => {
    for (let i = 0; i < ticks; i++) {
      now += EVERY_MS + lateMs;
      tick();
    }
  };
  return { delay, run };
}

const SECONDS = 1000 / EVERY_MS;

describe('the delay of the event loop', () => {
  test('is what 99 of 100 samples stay within', () => {
    const loop = openLoop();
    loop.run(10 * SECONDS, 0);
    expect(loop.delay.p99Ms()).toBe(0);
    loop.run(2 * SECONDS, 30);
    expect(loop.delay.p99Ms()).toBe(30);
    loop.delay.close();
    expect(isClosed).toBe(true);
  });

  test('one pause of seconds is no overload, and pauses over and over are', () => {
    const loop = openLoop();
    loop.run(12 * SECONDS);
    loop.run(1, 3_000);
    loop.run(1 * SECONDS);
    expect(loop.delay.isOverloaded()).toBe(false);
    for (let i = 0; i < 6; i++) {
      loop.run(1, 1_100);
      loop.run(10);
    }
    expect(loop.delay.p99Ms()).toBeGreaterThan(1_000);
    expect(loop.delay.isOverloaded()).toBe(true);
  });

  test('a delay of a second is borne, and more is not', () => {
    const loop = openLoop();
    loop.run(20, 1_000);
    expect(loop.delay.isOverloaded()).toBe(false);
    loop.run(20, 1_001);
    expect(loop.delay.isOverloaded()).toBe(true);
  });

  test('overload ends by itself once ten seconds were quiet', () => {
    const loop = openLoop();
    loop.run(20, 1_500);
    expect(loop.delay.isOverloaded()).toBe(true);
    loop.run(12 * SECONDS);
    expect(loop.delay.isOverloaded()).toBe(false);
  });

  test('the first ten seconds are not judged', () => {
    const loop = openLoop();
    loop.run(6, 1_500);
    expect(loop.delay.p99Ms()).toBeGreaterThan(1_000);
    expect(loop.delay.isOverloaded()).toBe(false);
  });
});

describe('new sockets', () => {
  const state = { isOverloaded: false };
  const hosts = new Set<string>();
  const none = new Set<string>();
  const options = {
    ownOrigins: none,
    ingestOrigins: none,
    trustedProxies: none,
    isDev: false,
    isSecure: false,
  };
  const web = openHttpServer({ ...options, hosts, isOverloaded: () => state.isOverloaded });
  const reached: string[] = [];
  const reach = (edge: string, socket: Duplex) => {
    reached.push(edge);
    socket.destroy();
  };

  afterEach(() => {
    web.server.close();
    web.destroySockets();
  });

  test('are closed with 1013 while overloaded, those of the old protocol refused with 503, and reach their edges afterwards', async () => {
    web.serve((_request, response) => void response.end(), {
      'socket.io': (_request, socket) => reach('socket.io', socket),
      'learning-observer': (_request, socket) => reach('learning-observer', socket),
      next: (_request, socket) => void socket.destroy(),
    });
    await new Promise<void>((done) => web.server.listen(0, '127.0.0.1', done));
    const host = `127.0.0.1:${(web.server.address() as AddressInfo).port}`;
    hosts.add(host);
    const endOf = (path: string) =>
      new Promise<number>((done) => {
        const ws = new WebSocket(`ws://${host}${path}`);
        ws.on('error', () => {});
        ws.on('unexpected-response', (_request, { statusCode, headers }) => {
          done(headers['retry-after'] === '5' ? (statusCode ?? 0) : 0);
        });
        ws.on('close', done);
      });
    state.isOverloaded = true;
    expect(await endOf('/socket.io/?EIO=4&transport=websocket')).toBe(1013);
    expect(await endOf('/wsapi/in/')).toBe(503);
    expect(reached).toEqual([]);
    state.isOverloaded = false;
    await endOf('/socket.io/?EIO=4&transport=websocket');
    await endOf('/wsapi/in/');
    expect(reached).toEqual(['socket.io', 'learning-observer']);
  });
});
