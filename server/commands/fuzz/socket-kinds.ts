import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { SocketLane } from './batch-lane.ts';
import { type Kind, onSocketLanes, onSockets, pickBy, SOCKETS } from './kind.ts';
import { noteAnswer, type Outcome, SILENT, type World, within } from './lane.ts';
import type { ObserverLane } from './other-lanes.ts';
import { type Frame, frameBytes, OPCODE, openRawSocket } from './raw-socket.ts';

type AnySocket = SocketLane | ObserverLane;

/** How the socket ended; `silent` where it did not. */
async function endOf(world: World, lane: AnySocket): Promise<Outcome> {
  const code = await within(world.answerMs, lane.raw.closed);
  if (code === SILENT) return SILENT;
  noteAnswer(world, '', [`close ${code}`]);
  return `close ${code}`;
}

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
/** The server ends the connection, with a code or without. */
const ENDED = ['close 1000', 'close 1005', 'close 1006', 'close 4400'] as const;

/** One connection that says something and is cut; gives the beginning of the answer. */
function sayTo(world: World, bytes: string | Buffer): Promise<Outcome> {
  const socket = connect(world.port, '127.0.0.1');
  let answer = '';
  socket.write(bytes);
  socket.on('error', () => {});
  const ended = new Promise<string>((done) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('\r\n\r\n')) done(answer);
    });
    socket.on('close', () => done(answer));
  });
  return within(world.answerMs, ended).then((heard) => {
    socket.destroy();
    if (heard === SILENT) return SILENT;
    const status = /^HTTP\/1.1 (\d+)/.exec(heard)?.[1];
    noteAnswer(world, heard, status ? [`http ${status}`] : ['cut']);
    return status ? `http ${status}` : 'cut';
  });
}

/** A door that stays shut beside a lane that goes on. */
function door(
  name: string,
  group: Kind['group'],
  ends: readonly Outcome[],
  ask: (world: World, i: number) => Promise<Outcome>,
): Kind {
  return onSockets({ name, group, edges: SOCKETS, ends, run: ({ world, i }) => ask(world, i) });
}

async function upgrade(world: World, path: string, headers: Record<string, string> = {}): Promise<Outcome> {
  const raw = await openRawSocket({ port: world.port, path, headers });
  raw.end();
  const outcome = raw.status === 0 ? 'cut' : `http ${raw.status}`;
  noteAnswer(world, raw.head, [outcome]);
  return outcome;
}

/** What is upgraded, and then closed. */
async function upgradeAndEnd(world: World, path: string): Promise<Outcome> {
  const raw = await openRawSocket({ port: world.port, path });
  const code = await within(world.answerMs, raw.closed);
  raw.end();
  return code === SILENT ? SILENT : 'cut'; // Engine.IO writes an answer of HTTP after the upgrade, which is no frame
}

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

/** A packet of Engine.IO or Socket.IO as text, on a connection that stands. */
function packet(name: string, ends: readonly Outcome[], make: (i: number, lane: SocketLane) => string): Kind {
  return onSocketLanes({
    name,
    group: 'engine',
    edges: ['socket.io'],
    ends,
    run: ({ lane, i }) => lane.say(make(i, lane)),
  });
}

const ENGINE = '/socket.io/?EIO=4&transport=websocket';
const get = (path: string) => (world: World) =>
  sayTo(world, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\n\r\n`);

export const ENGINE_KINDS: readonly Kind[] = [
  packet('unknown engine packet', ENDED, (i) => pickBy(['9', 'x', '', '7abc'], i)),
  packet('truncated packet', ENDED, (i) =>
    pickBy(['42/ingest,', '42/ingest', '42/ingest,1["m"', '42/ingest,1['], i),
  ),
  packet('name not a string', ENDED, (i) =>
    pickBy(
      ['42/ingest,1[7,"x"]', '42/ingest,1[{},"x"]', '42/ingest,1[null]', '42/ingest,1[]', '42/ingest,1{}'],
      i,
    ),
  ),
  packet(
    'reserved name',
    ENDED,
    (i) =>
      `42/ingest,1["${pickBy(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'], i)}",1]`,
  ),
  packet(
    'event that nobody listens to',
    ENDED,
    (i) => `42/ingest,1["${pickBy(['n', 'M', 'message', 'toString', '__proto__'], i)}","{}"]`,
  ),
  packet('message without an answer', ENDED, () => '42/ingest,["m","{}"]'),
  packet(
    'message that is no string',
    ['binary-unexpected'],
    (i) => `42/ingest,1["m"${pickBy([',7', ',{}', ',null', ',["{}"]'], i)}]`,
  ),
  packet('message of nothing', ENDED, () => '42/ingest,1["m"]'),
  packet(
    'id of an answer huge',
    ['not-json', ...ENDED],
    () => '42/ingest,99999999999999999999999999["m","x"]',
  ),
  packet('id of an answer negative or no number', ENDED, (i) =>
    pickBy(['42/ingest,-1["m","x"]', '42/ingest,NaN["m","x"]', '42/ingest,1.5["m","x"]'], i),
  ),
  onSocketLanes({
    name: 'answer to nothing',
    group: 'engine',
    edges: ['socket.io'],
    ends: ['stored'],
    async run({ lane, i }) {
      lane.raw.text(pickBy(['43/ingest,999[]', '43/ingest,0["x"]'], i));
      return (await lane.good()) ? 'stored' : SILENT;
    },
  }),
  packet('attachments by wrong count', ENDED, (i) =>
    pickBy(
      ['450-/ingest,1["m"]', '45-1-/ingest,1["m"]', '451000000-/ingest,1["m"]', '45x-/ingest,1["m"]'],
      i,
    ),
  ),
  onSocketLanes({
    name: 'attachment never sent',
    group: 'engine',
    edges: ['socket.io'],
    ends: ENDED,
    // Nothing is whole yet, so nothing is answered; the next packet shows that the attachment will never come.
    run({ lane, i }) {
      lane.raw.text(`451-/ingest,1["m",{"_placeholder":true,"num":${pickBy([0, 5, -1], i)}}]`);
      return lane.ask(lane.wrap());
    },
  }),
  onSocketLanes({
    name: 'attachment in place of text',
    group: 'engine',
    edges: ['socket.io'],
    ends: ['binary-unexpected'],
    run({ lane }) {
      lane.raw.text('451-/ingest,1["m",{"_placeholder":true,"num":0}]');
      return lane.bytes(frameBytes({ opcode: OPCODE.binary, payload: randomBytes(20) }));
    },
  }),
  onSocketLanes({
    name: 'unknown namespace',
    group: 'engine',
    edges: ['socket.io'],
    ends: ['refused'],
    run: ({ lane, i }) => lane.refused(pickBy(['40/evil,', '40/ingest2,{}', '40', '40/__proto__,'], i)),
  }),
  onSocketLanes({
    name: '10,000 namespaces',
    group: 'engine',
    edges: ['socket.io'],
    ends: ['stored', ...ENDED],
    oneIn: 25,
    async run({ world, lane }) {
      lane.raw.net.write(
        Buffer.concat(Array.from({ length: 10_000 }, (_, k) => frameBytes(text(`40/n${k},`)))),
      );
      return (await lane.good()) ? 'stored' : endOf(world, lane);
    },
  }),
  packet('connect twice', ENDED, (_i, lane) => `40/ingest,${JSON.stringify({ token: lane.token })}`),
  door('polling', 'engine', ['http 400'], get('/socket.io/?EIO=4&transport=polling')),
  door('polling and upgrade at once', 'engine', ['http 400'], (world) =>
    upgrade(world, '/socket.io/?EIO=4&transport=polling'),
  ),
  door('foreign sid', 'engine', ['http 400'], (world, i) =>
    upgrade(world, `${ENGINE}&sid=${pickBy(['x', 'AAAAAAAAAAAAAAAAAAAA', '__proto__'], i)}`),
  ),
  door('old protocol', 'engine', ['cut'], (world, i) =>
    upgradeAndEnd(world, `/socket.io/?EIO=${pickBy(['3', '2', ''], i)}&transport=websocket`),
  ),
  door('nobody connects', 'engine', ['http 101'], (world) => upgrade(world, ENGINE)),
];
