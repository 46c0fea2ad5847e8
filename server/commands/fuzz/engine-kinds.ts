import { randomBytes } from 'node:crypto';
import type { SocketLane } from './batch-lane.ts';
import { door, endOf, sayTo, upgrade } from './connection-end.ts';
import { type Kind, onSocketLanes, pickBy } from './kind.ts';
import { type Outcome, SILENT, type World, within } from './lane.ts';
import { frameBytes, OPCODE, openRawSocket } from './raw-socket.ts';

/** The server ends the connection, with a code or without. */
const ENDED = ['close 1000', 'close 1005', 'close 1006', 'close 4400'] as const;

/** What is upgraded, and then closed. */
async function upgradeAndEnd(world: World, path: string): Promise<Outcome> {
  const raw = await openRawSocket({ port: world.port, path });
  const code = await within(world.answerMs, raw.closed);
  raw.end();
  return code === SILENT ? SILENT : 'cut'; // Engine.IO writes an answer of HTTP after the upgrade, which is no frame
}

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

/** What breaks the rules of Engine.IO or Socket.IO, in frames that are fine. */
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
        Buffer.concat(
          Array.from({ length: 10_000 }, (_, k) => frameBytes({ payload: Buffer.from(`40/n${k},`) })),
        ),
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
