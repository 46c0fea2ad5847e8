import {
  type BatchLane,
  newProducer,
  newStudent,
  noteAnswer,
  type Outcome,
  outcomeOf,
  SILENT,
  tagging,
  type World,
  within,
} from './lane.ts';
import { frameBytes, openRawSocket, type RawSocket } from './raw-socket.ts';

/** A frame of the socket around the text of one message, and the text of the answer inside what came. */
type Wrapping = {
  readonly path: string;
  readonly headers: (token: string) => Record<string, string>;
  readonly put: (text: string, id: number) => string;
  /** Undefined: not the answer to a message. */
  readonly take: (text: string) => string | undefined;
  /** What is said after the handshake, and whether it was taken. */
  readonly greet: (
    token: string,
  ) => { readonly say: string; readonly isWelcome: (text: string) => boolean } | null;
};

const PUSHED = new Set(['slow', 'reauth', 'policy', 'going-away', 'stop']);

const WRAPPINGS: Record<'plain' | 'socket.io', Wrapping> = {
  plain: {
    path: '/wsapi/in/',
    headers: (token) => ({
      authorization: `Bearer ${token}`,
      'Sec-WebSocket-Protocol': 'learning-observer.1',
    }),
    put: (text) => text,
    take: (text) => (PUSHED.has((JSON.parse(text) as { type: string }).type) ? undefined : text),
    greet: () => null,
  },
  'socket.io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    headers: () => ({}),
    put: (text, id) => `42/ingest,${id}["m",${JSON.stringify(text)}]`,
    take: (text) => /^43\/ingest,[\de+.]+\[(.*)\]$/s.exec(text)?.[1],
    greet: (token) => ({
      say: `40/ingest,${JSON.stringify({ token, client: { name: 'fuzz', version: '1' } })}`,
      isWelcome: (text) => text.startsWith('40/ingest,{"sid"'),
    }),
  },
};

export type SocketLane = BatchLane & {
  readonly raw: RawSocket;
  /** Sends text as it is, and waits for an answer to a message or for the end. */
  say(text: string): Promise<Outcome>;
  /** The same for bytes that may be anything. */
  bytes(bytes: Buffer): Promise<Outcome>;
  /** Sends a packet of Socket.IO that asks for what is refused by a packet of its own. */
  refused(text: string): Promise<Outcome>;
};

/** A lane over Socket.IO or over the plain WebSocket with the sub-protocol, with its hello said. */
export async function openSocketLane(world: World, edge: 'plain' | 'socket.io'): Promise<SocketLane> {
  const wrapping = WRAPPINGS[edge];
  const { student, token } = await newStudent(world.key);
  const producer = newProducer();
  const tags = tagging(world.ledger, student);
  const waiting: ((text: string) => void)[] = [];
  let greeted = () => {};
  let onRefused = () => {};
  const greet = wrapping.greet(token);
  let next = 1;
  let asked = 0;
  const welcome = new Promise<void>((done) => (greeted = done));
  const raw = await openRawSocket({
    port: world.port,
    path: wrapping.path,
    headers: wrapping.headers(token),
    onText(text) {
      if (edge === 'socket.io' && text === '2') return raw.text('3');
      if (greet?.isWelcome(text)) return greeted();
      if (edge === 'socket.io' && text.startsWith('44')) {
        noteAnswer(world, text, ['refused']);
        return onRefused();
      }
      const answer = wrapping.take(text);
      if (answer !== undefined) waiting.shift()?.(answer);
    },
  });
  if (raw.status !== 101) throw new Error(`the ${edge} lane was refused with ${raw.status}`);
  if (greet) {
    raw.text(greet.say);
    if (
      (await within(
        5_000,
        welcome.then(() => 'welcome'),
      )) === SILENT
    )
      throw new Error('nobody was welcome');
  }

  const say = (text: string) => bytes(frameBytes({ payload: Buffer.from(text) }));

  async function bytes(sent: Buffer): Promise<Outcome> {
    const answer = new Promise<string>((done) => waiting.push(done));
    raw.net.write(sent);
    const closed = raw.closed.then((code) => ({ code }));
    const heard = await within(world.answerMs, Promise.race([answer, closed]));
    if (heard === SILENT) return SILENT;
    if (typeof heard !== 'string') {
      noteAnswer(world, '', [`close ${heard.code}`]);
      return `close ${heard.code}`;
    }
    const { outcome, answer: told } = outcomeOf(world, heard);
    if (told.upTo !== undefined) next = Math.max(next, told.upTo + 1);
    return outcome;
  }

  async function refused(text: string): Promise<Outcome> {
    const heard = new Promise<Outcome>((done) => (onRefused = () => done('refused')));
    raw.text(text);
    return within(world.answerMs, Promise.race([heard, raw.closed.then((code) => `close ${code}`)]));
  }

  const lane: SocketLane = {
    edge,
    student,
    token,
    producer,
    raw,
    say,
    bytes,
    refused,
    next: () => next,
    isOpen: () => raw.isOpen(),
    ask(text) {
      asked += 1;
      return say(wrapping.put(text, asked));
    },
    event: (more = {}) => ({ event: 'mark', sentAt: Date.now(), body: tags.body(more) }),
    batch: (events, more = {}) => ({
      v: 1,
      type: 'events',
      producer,
      epoch: 1,
      from: next,
      source: 'fuzz',
      events,
      ...more,
    }),
    hello: (more = {}) => ({
      v: 1,
      type: 'hello',
      producer,
      epoch: 1,
      oldest: next,
      now: Date.now(),
      ...more,
    }),
    wrap(extra = '', n) {
      const event = lane.event();
      const body = JSON.stringify({ ...event.body, n: 'N' }).replace('"N"', n ?? String(event.body.n));
      const text = JSON.stringify(lane.batch([{ ...event, body: 'BODY' }]));
      return text.replace('"BODY"', () => `${body.slice(0, -1)}${extra}}`);
    },
    async good() {
      const event = lane.event();
      const isStored = (await lane.ask(JSON.stringify(lane.batch([event])))) === 'stored';
      if (isStored) tags.stored(String(event.body.tag));
      return isStored;
    },
    close: () => raw.end(),
  };
  if ((await lane.ask(JSON.stringify(lane.hello()))) !== 'welcome') throw new Error('hello was not welcome');
  return lane;
}
