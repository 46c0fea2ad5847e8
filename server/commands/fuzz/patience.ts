import { connect, type Socket } from 'node:net';
import { newStudent, SILENT, type World, within } from './lane.ts';
import { openRawSocket } from './raw-socket.ts';

/** Peers that take their time. Each has to be gone, or has to do no harm, within its time. */
export type Slow = {
  readonly name: string;
  readonly mostMs: number;
  readonly end: (world: World) => Promise<boolean>;
};

const gone = (socket: Socket) =>
  new Promise<void>((done) => void (socket.destroyed ? done() : socket.once('close', () => done())));

async function isGone(socket: Socket, ms: number): Promise<boolean> {
  socket.on('error', () => {});
  socket.resume();
  const isSilent =
    (await within(
      ms,
      gone(socket).then(() => 'gone'),
    )) === SILENT;
  socket.destroy();
  return !isSilent;
}

export const SLOW: readonly Slow[] = [
  {
    name: 'slow headers',
    mostMs: 15_000,
    end(world) {
      const socket = connect(world.port, '127.0.0.1');
      socket.write('GET /wsapi/in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
      const timer = setInterval(() => socket.write('x'), 500);
      return isGone(socket, 15_000).finally(() => clearInterval(timer));
    },
  },
  {
    name: 'silent socket',
    mostMs: 15_000,
    end: (world) => isGone(connect(world.port, '127.0.0.1'), 15_000),
  },
  {
    name: 'Socket.IO without a namespace',
    mostMs: 6_000,
    async end(world) {
      const raw = await openRawSocket({ port: world.port, path: '/socket.io/?EIO=4&transport=websocket' });
      return isGone(raw.net, 6_000);
    },
  },
  {
    name: 'part B without a proof',
    mostMs: 1_000,
    async end(world) {
      const headers = { 'Sec-WebSocket-Protocol': 'learning-observer.1' };
      const raw = await openRawSocket({ port: world.port, path: '/wsapi/in/', headers });
      return (await within(1_000, raw.closed)) === 4401;
    },
  },
  {
    name: 'client that never reads',
    mostMs: 10_000,
    async end(world) {
      const { token } = await newStudent(world.key);
      const raw = await openRawSocket({
        port: world.port,
        path: '/wsapi/in/',
        headers: { authorization: `Bearer ${token}` },
      });
      raw.net.pause();
      const until = Date.now() + 3_000;
      while (Date.now() < until && !raw.net.destroyed) {
        // What the server does not read stays with us, and what it writes is bounded by what it sums up.
        if (!raw.net.writableNeedDrain) for (let k = 0; k < 100; k++) raw.text('{');
        await new Promise((done) => setTimeout(done, 20));
      }
      raw.end();
      return true;
    },
  },
];
