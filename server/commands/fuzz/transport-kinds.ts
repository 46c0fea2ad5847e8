import { randomBytes } from 'node:crypto';
import { door, endOf, sayTo, upgrade } from './connection-end.ts';
import { type Kind, onSocketLanes, onSockets, pickBy, SOCKETS } from './kind.ts';
import type { Outcome } from './lane.ts';
import { type Frame, frameBytes, OPCODE } from './raw-socket.ts';

/** Sends frames as they are and waits for the socket's end. */
function broken(
  name: string,
  ends: readonly Outcome[],
  frames: (i: number) => readonly (Frame | Buffer)[],
): Kind {
  return onSockets({
    name,
    group: 'transport',
    edges: SOCKETS,
    ends,
    run({ world, lane, i }) {
      for (const frame of frames(i)) lane.raw.net.write(Buffer.isBuffer(frame) ? frame : frameBytes(frame));
      return endOf(world, lane);
    },
  });
}

const text = (payload: string | Buffer, more: Frame = {}): Frame => ({
  payload: Buffer.from(payload),
  ...more,
});
const PROTOCOL = ['close 1002'] as const;
/** What breaks the rules of HTTP or of WebSocket, whatever is said over them. */
export const TRANSPORT_KINDS: readonly Kind[] = [
  door('bytes that are no HTTP', 'transport', ['http 400', 'cut'], (world, i) =>
    sayTo(world, Buffer.concat([randomBytes(1 + (i % 400)), Buffer.from('\r\n\r\n')])),
  ),
  door('bad handshake key', 'transport', ['http 400'], (world, i) =>
    upgrade(world, '/wsapi/in/', { 'Sec-WebSocket-Key': pickBy(['', 'short', 'x'.repeat(25)], i) }),
  ),
  door('unknown WebSocket version', 'transport', ['http 400', 'http 426'], (world, i) =>
    upgrade(world, '/wsapi/in/', { 'Sec-WebSocket-Version': pickBy(['7', '99', 'x'], i) }),
  ),
  broken('unmasked', PROTOCOL, () => [text('{}', { isMasked: false })]),
  broken('reserved bits', PROTOCOL, (i) => [text('{}', { rsv: 1 + (i % 3) })]),
  broken('reserved opcode', PROTOCOL, (i) => [text('{}', { opcode: pickBy([3, 7, 11, 15], i) })]),
  broken('compressed though off', PROTOCOL, () => [text('\u0002', { rsv: 4 })]),
  broken('bad UTF-8', ['close 1007'], (i) => [
    text(pickBy([Buffer.from([0xff]), Buffer.from([0xc0, 0xaf]), Buffer.from([0xed, 0xa0, 0x80])], i)),
  ]),
  broken('control frame over 125 bytes', PROTOCOL, (i) => [
    text(Buffer.alloc(126), { opcode: pickBy([OPCODE.ping, OPCODE.pong, OPCODE.close], i) }),
  ]),
  broken('fragmented control', PROTOCOL, () => [text('x', { opcode: OPCODE.ping, fin: false })]),
  broken('unfinished fragments', PROTOCOL, () => [text('{"a":', { fin: false }), text('{}')]),
  broken('continuation of nothing', PROTOCOL, () => [text('}', { opcode: OPCODE.continuation })]),
  broken('length 2^63', ['close 1009', 'close 1002'], () => [{ saidLength: 2n ** 63n }]),
  broken('length 100 MB', ['close 1009'], () => [{ saidLength: 100_000_000n }]),
  broken('close with a code of nobody', ['close 1002', 'close 1006'], (i) => [
    text(
      Buffer.from(
        [
          [3, 236],
          [0, 1],
          [255, 255],
        ][i % 3] ?? [],
      ),
      { opcode: OPCODE.close },
    ),
  ]),
  onSockets({
    name: 'ping flood',
    group: 'transport',
    edges: SOCKETS,
    ends: ['stored', 'close 1006'], // who does not take 60 pongs is cut off
    async run({ world, lane }) {
      lane.raw.net.write(
        Buffer.concat(
          Array.from({ length: 500 }, () => frameBytes({ opcode: OPCODE.ping, payload: Buffer.alloc(9) })),
        ),
      );
      return (await lane.good()) ? 'stored' : endOf(world, lane);
    },
  }),
  onSockets({
    name: '100,000 fragments of one byte',
    group: 'transport',
    edges: SOCKETS,
    ends: ['close 1008'],
    oneIn: 25,
    run: ({ lane }) =>
      lane.bytes(
        Buffer.concat(
          Array.from({ length: 100_000 }, (_, k) =>
            frameBytes({
              opcode: k === 0 ? OPCODE.text : OPCODE.continuation,
              fin: k === 99_999,
              payload: Buffer.from('x'),
            }),
          ),
        ),
      ),
  }),
  onSocketLanes({
    name: '64 KiB and one byte',
    group: 'transport',
    edges: ['socket.io', 'plain'],
    ends: ['event-too-big'],
    run: ({ lane }) => lane.ask(lane.wrap(`,"x":"${'x'.repeat(65_536)}"`)),
  }),
  onSocketLanes({
    name: 'more than twice a frame',
    group: 'transport',
    edges: ['socket.io', 'plain'],
    ends: ['close 1009', 'close 1006'],
    run: ({ lane }) => lane.ask(lane.wrap(`,"x":"${'x'.repeat(140_000)}"`)),
  }),
  onSockets({
    name: 'half-close',
    group: 'transport',
    edges: SOCKETS,
    ends: ['close 1006', 'close 1000', 'close 1005'],
    run({ world, lane }) {
      lane.raw.net.end();
      return endOf(world, lane);
    },
  }),
  onSockets({
    name: 'reset in the middle of a frame',
    group: 'transport',
    edges: SOCKETS,
    ends: ['close 1006'],
    run({ world, lane }) {
      lane.raw.net.write(frameBytes(text(lane.wrap())).subarray(0, 40));
      lane.raw.net.resetAndDestroy();
      return endOf(world, lane);
    },
  }),
  onSockets({
    name: 'binary frame',
    group: 'transport',
    edges: ['plain', 'observer'],
    ends: ['binary-unexpected'],
    run: ({ lane }) => lane.bytes(frameBytes({ opcode: OPCODE.binary, payload: Buffer.from(lane.wrap()) })),
  }),
];
