import { type BadCode, CLOSE } from '#server/errors.ts';
import type { OpenConnection } from './connections.ts';
import { readMessage } from './envelope.ts';
import type { Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import type { Answer, Batch, Token } from './protocol.ts';
import { type Bounds, parseFrame } from './structure.ts';

export type Reply = (answer: Answer) => void;

/** One connection of wire.md part B, whatever carries it. */
export type Session = {
  /** One frame and its one reply; replies leave in the order of the frames. */
  message(text: string, bytes: number, reply: Reply): void;
  /** A frame that is no text. */
  binary(bytes: number, reply: Reply): void;
  end(reason: string): void;
};

const DEPTH = 64;
const KEYS = 2_000;
const STRING_CHARACTERS = 128 * 1024;
export const BATCH_BOUNDS: Bounds = { depth: DEPTH, keys: KEYS, string: STRING_CHARACTERS };
const RENEW_BEFORE_MS = 60_000;
/** The moments of connections lie in the last of so much of the time until then. */
const RENEW_SPREAD = 1 / 4;
/** `setTimeout` takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Speaks part B for a connection that `ingest.open` gave. */
export function openSession(ingest: Ingest, connection: OpenConnection): Session {
  const { core } = ingest;
  const inOrder = keepOrder();
  const expiry = watchExpiry(ingest, connection);

  function bad(code: BadCode, message: string, original: string | null, bytes: number, reply: Reply): void {
    ingest.acceptBadFrame(connection, { code, message, original, bytes, at: core.clock.now() }, reply);
  }

  function handle(text: string, bytes: number, reply: Reply): void {
    const at = core.clock.now();
    if (bytes > core.limits.frameBytes) {
      bad('event-too-big', 'the frame is too large', text, bytes, reply);
      return;
    }
    const parsed = parseFrame(text, BATCH_BOUNDS);
    if (!parsed.ok) {
      bad(parsed.code, FRAME_FAULTS[parsed.code] ?? 'the frame cannot be read', text, bytes, reply);
      return;
    }
    const read = readMessage(parsed.value, core.limits.frameEvents);
    if (!read.ok) {
      if (typeOf(parsed.value) === 'hello') refuse(reply, 'invalid', read.message);
      // A token is a secret even where it stands wrong.
      else bad(read.code, read.message, typeOf(parsed.value) === 'token' ? null : text, bytes, reply);
      return;
    }
    const { message } = read;
    if (message.type === 'events') events(message, text, { bytes, at, hasOddText: parsed.hasOddText }, reply);
    else if (message.type === 'hello') reply(ingest.hello(connection, message, at));
    else void renew(message, reply);
  }

  function events(
    batch: Batch,
    text: string,
    frame: { bytes: number; at: number; hasOddText: boolean },
    reply: Reply,
  ): void {
    const { producer } = connection;
    if (!producer) {
      core.counter.received(connection.edge, batch.events.length);
      core.counter.ended(connection.edge, 'refused', batch.events.length, 'invalid');
      refuse(reply, 'invalid', 'say hello before the first batch');
      return;
    }
    if (batch.producer !== producer.producer || batch.epoch !== producer.epoch) {
      bad('field-wrong', 'producer and epoch are not those of hello', text, frame.bytes, reply);
      return;
    }
    ingest.accept(
      connection,
      { batch, bytes: frame.bytes, at: frame.at, hasOddText: frame.hasOddText },
      reply,
    );
  }

  async function renew(message: Token, reply: Reply): Promise<void> {
    const identity = await ingest.identify.byToken(message.token).catch(() => null);
    if (!identity || !isSameSender(identity, connection.identity)) {
      refuse(reply, 'unauthenticated', 'the token proves nothing for this connection');
      expiry.stop();
      return;
    }
    connection.identity = identity;
    expiry.restart();
    reply({ type: 'stored', upTo: connection.producer?.durable ?? 0, bad: [] });
  }

  return {
    message: (text, bytes, reply) => handle(text, bytes, inOrder(reply)),
    binary: (bytes, reply) => bad('binary-unexpected', 'the frame is not text', null, bytes, inOrder(reply)),
    end(reason) {
      expiry.clear();
      ingest.close(connection, reason);
    },
  };
}

const FRAME_FAULTS: Readonly<Partial<Record<BadCode, string>>> = {
  'not-json': 'the frame is not json',
  'too-deep': `the frame is nested more than ${DEPTH} deep`,
  'too-many-keys': `an object of the frame has more than ${KEYS} keys`,
  'string-too-long': 'a string of the frame is too long',
  'forbidden-key': 'a key of the frame is not allowed',
  'lone-surrogate': 'a string of the frame is not well-formed',
};

function typeOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
}

function refuse(reply: Reply, code: string, message: string): void {
  reply({ type: 'refused', code, message });
}

function isSameSender(a: Identity, b: Identity): boolean {
  return a.student === b.student && a.credential === b.credential;
}

type Slot = { readonly reply: Reply; answer: Answer | undefined; next: Slot | null };

/**
 * Wraps replies so that they leave in the order in which they were wrapped. Linked: a list that runs empty at each frame is
 * made anew at each.
 */
export function keepOrder(): (reply: Reply) => Reply {
  let first: Slot | null = null;
  let last: Slot | null = null;
  return (reply) => {
    const slot: Slot = { reply, answer: undefined, next: null };
    if (last) last.next = slot;
    else first = slot;
    last = slot;
    return (answer) => {
      slot.answer = answer;
      for (let due = first; due?.answer; due = first) {
        first = due.next;
        if (!first) last = null;
        // Else what is garbage and old would keep alive what is young.
        due.next = null;
        due.reply(due.answer);
      }
    };
  };
}

/**
 * Asks for a new token a minute before the old one ends or some time earlier, drawn for each connection: those of a school that
 * came back together would renew within one second, thousands of signatures at once. Ends the connection with its token.
 */
function watchExpiry(ingest: Ingest, connection: OpenConnection) {
  const { clock } = ingest.core;
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    clearTimeout(timer);
    connection.peer.push('stop', { code: 'unauthenticated' });
    connection.peer.close(CLOSE.unauthenticated);
  }

  function start(): void {
    const { expiresAt } = connection.identity;
    if (expiresAt === null) return;
    const left = Math.min(expiresAt - clock.now(), LONGEST_TIMER_MS);
    timer = setTimeout(
      () => {
        connection.peer.push('reauth', { expiresAt });
        timer = setTimeout(stop, Math.max(0, expiresAt - clock.now()));
      },
      Math.max(0, left - RENEW_BEFORE_MS) * (1 - RENEW_SPREAD * Math.random()),
    );
  }

  start();
  return {
    stop,
    restart() {
      clearTimeout(timer);
      start();
    },
    clear: () => clearTimeout(timer),
  };
}
