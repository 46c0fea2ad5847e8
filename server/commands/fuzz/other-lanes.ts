import { Agent, request } from 'node:http';
import {
  type BatchLane,
  type Lane,
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
import { openRawSocket, type RawSocket } from './raw-socket.ts';

export type ObserverLane = Lane & {
  readonly raw: RawSocket;
  /** Sends frames of which the last one is asked about. */
  say(...texts: string[]): Promise<Outcome>;
  /** One frame as bytes that may be anything. */
  bytes(bytes: Buffer): Promise<Outcome>;
};

type Told = { status?: string; result?: string; frame?: number; frames?: readonly number[]; code?: string };

/** A lane of the predecessor's protocol. A fetch of a blob is answered after all before it, so it is how one waits. */
export async function openObserverLane(world: World, isKnown = true): Promise<ObserverLane> {
  const { student, token } = await newStudent(world.key);
  const tags = tagging(world.ledger, student);
  const codes = new Map<number, string>();
  let hear = () => {};
  let fetched = 0;
  let frames = 0;
  const raw = await openRawSocket({
    port: world.port,
    path: '/wsapi/in/',
    headers: isKnown ? { authorization: `Bearer ${token}` } : {},
    onText(text) {
      const told = JSON.parse(text) as Told;
      if (told.status === 'answer' && told.code) {
        noteAnswer(world, text, [told.code]);
        for (const frame of told.frames ?? [told.frame ?? 0]) codes.set(frame, told.code);
      }
      if (told.status === 'fetch_blob') fetched = told.frame ?? 0;
      hear();
    },
  });
  if (raw.status !== 101) throw new Error(`the observer lane was refused with ${raw.status}`);

  /** Until the frame is told of, or everything up to it has its end. */
  function endOf(frame: number, fetch: number): Promise<Outcome> {
    return new Promise((done) => {
      hear = () => {
        const code = codes.get(frame);
        if (code) done(code);
        else if (fetched >= fetch) done('stored');
      };
      hear();
    });
  }

  async function say(...texts: string[]): Promise<Outcome> {
    for (const text of texts) raw.text(text);
    frames += texts.length + 1;
    raw.text('{"event":"fetch_blob"}');
    return settle(frames - 1);
  }

  function bytes(sent: Buffer): Promise<Outcome> {
    raw.net.write(sent);
    raw.text('{"event":"fetch_blob"}');
    frames += 2;
    return settle(frames - 1);
  }

  async function settle(frame: number): Promise<Outcome> {
    const closed = raw.closed.then((code) => `close ${code}`);
    // Above ten a second answers come in sums, at the end of the second.
    const outcome = await within(world.answerMs, Promise.race([endOf(frame, frame + 1), closed]));
    if (outcome.startsWith('close')) noteAnswer(world, '', [outcome]);
    return outcome;
  }

  const lane: ObserverLane = {
    edge: 'observer',
    student,
    token,
    raw,
    say,
    bytes,
    ask: (text) => say(text),
    isOpen: () => raw.isOpen() && frames < 18,
    wrap(extra = '', n) {
      const body = tags.body();
      const text = JSON.stringify({ event: 'mark', ts: Date.now(), ...body, n: 'N' });
      return `${text.replace('"N"', n ?? String(body.n)).slice(0, -1)}${extra}}`;
    },
    async good() {
      const body = tags.body();
      const isStored = (await say(JSON.stringify({ event: 'mark', ts: Date.now(), ...body }))) === 'stored';
      if (isStored) tags.stored(String(body.tag));
      return isStored;
    },
    close: () => raw.end(),
  };
  if (isKnown) await say('{"event":"lock_fields","fields":{"source":"fuzz"}}');
  return lane;
}

export type HttpLane = BatchLane & {
  post(body: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<Outcome>;
};

/** A lane of `POST /api/events`: all requests over one kept connection. */
export async function openHttpLane(world: World): Promise<HttpLane> {
  const { student, token } = await newStudent(world.key);
  const producer = newProducer();
  const tags = tagging(world.ledger, student);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let next = 1;

  async function post(
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const sent = send(world.port, agent, body, {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    });
    const answer = await within(world.answerMs, sent);
    if (typeof answer === 'string') return SILENT;
    if (!answer.text.startsWith('{')) return `http ${answer.status}`;
    const { outcome, answer: told } = outcomeOf(world, answer.text);
    if (told.upTo !== undefined) next = Math.max(next, told.upTo + 1);
    return outcome;
  }

  const lane: HttpLane = {
    edge: 'http',
    student,
    token,
    producer,
    post,
    next: () => next,
    isOpen: () => true,
    ask: (text) => post(text),
    event: (more = {}) => ({ event: 'mark', sentAt: Date.now(), body: tags.body(more) }),
    batch: (events, more = {}) => ({
      v: 1,
      type: 'events',
      producer,
      epoch: 1,
      from: next,
      source: 'fuzz',
      events,
      oldest: 1,
      now: Date.now(),
      ...more,
    }),
    hello: () => ({}),
    wrap(extra = '', n) {
      const event = lane.event();
      const body = JSON.stringify({ ...event.body, n: 'N' }).replace('"N"', n ?? String(event.body.n));
      const text = JSON.stringify(lane.batch([{ ...event, body: 'BODY' }]));
      return text.replace('"BODY"', () => `${body.slice(0, -1)}${extra}}`);
    },
    async good() {
      const event = lane.event();
      const isStored = (await post(JSON.stringify(lane.batch([event])))) === 'stored';
      if (isStored) tags.stored(String(event.body.tag));
      return isStored;
    },
    close: () => agent.destroy(),
  };
  return lane;
}

function send(
  port: number,
  agent: Agent,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; text: string }> {
  return new Promise((done) => {
    const going = request(
      { port, host: '127.0.0.1', path: '/api/events', method: 'POST', headers, agent },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more) => (text += more));
        response.on('end', () => done({ status: response.statusCode ?? 0, text }));
      },
    );
    going.on('error', () => done({ status: 0, text: '' }));
    going.end(body);
  });
}
