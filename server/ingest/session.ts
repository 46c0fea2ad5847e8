import { type BadCode, CLOSE } from '#server/errors.ts';
import type { OpenConnection } from './connections.ts';
import { readMessage } from './envelope.ts';
import type { Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import type { Answer, Batch, Token } from './protocol.ts';
import { type Bounds, parseFrame } from './structure.ts';

export type Reply = (answer: Answer) => void;

/** One connection of wire.md part B, whatever carries it. Without a function of its own: thousands of them are kept at once. */
export type Session = {
  readonly ingest: Ingest;
  readonly connection: OpenConnection;
  readonly order: Order;
  /** Until the token has to be renewed, and then until it ends. */
  timer: NodeJS.Timeout | undefined;
};

const DEPTH = 64;
const KEYS = 2_000;
const STRING_CHARACTERS = 128 * 1024;
export const BATCH_BOUNDS: Bounds = { depth: DEPTH, keys: KEYS, string: STRING_CHARACTERS };
const RENEW_BEFORE_MS = 60_000;
/** The moments of connections lie in the last of so much of the time until then. */
const RENEW_SPREAD = 1 / 4;
/** Node keeps a list for each duration that it waits for: those of thousands of connections share a few hundred. */
const TIMER_STEP_MS = 1_000;
/** `setTimeout` takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Speaks part B for a connection that `ingest.open` gave. */
export function openSession(ingest: Ingest, connection: OpenConnection): Session {
  const session: Session = { ingest, connection, order: openOrder(), timer: undefined };
  watchExpiry(session);
  return session;
}

/** One frame and its one reply; replies leave in the order of the frames. */
export function hear(session: Session, text: string, bytes: number, reply: Reply): void {
  handle(session, text, bytes, inOrder(session.order, reply));
}

/** A frame that is no text. */
export function hearBinary(session: Session, bytes: number, reply: Reply): void {
  bad(
    session,
    'binary-unexpected',
    'the frame is not text',
    { original: null, bytes },
    inOrder(session.order, reply),
  );
}

export function endSession(session: Session, reason: string): void {
  clearTimeout(session.timer);
  session.ingest.close(session.connection, reason);
}

function bad(
  { ingest, connection }: Session,
  code: BadCode,
  message: string,
  frame: { readonly original: string | null; readonly bytes: number },
  reply: Reply,
): void {
  ingest.acceptBadFrame(connection, { code, message, ...frame, at: ingest.core.clock.now() }, reply);
}

function handle(session: Session, text: string, bytes: number, reply: Reply): void {
  const { ingest, connection } = session;
  const { core } = ingest;
  const at = core.clock.now();
  const frame = { original: text, bytes };
  if (bytes > core.limits.frameBytes) {
    bad(session, 'event-too-big', 'the frame is too large', frame, reply);
    return;
  }
  const parsed = parseFrame(text, BATCH_BOUNDS);
  if (!parsed.ok) {
    bad(session, parsed.code, FRAME_FAULTS[parsed.code] ?? 'the frame cannot be read', frame, reply);
    return;
  }
  const read = readMessage(parsed.value, core.limits.frameEvents);
  if (!read.ok) {
    if (typeOf(parsed.value) === 'hello') refuse(reply, 'invalid', read.message);
    // A token is a secret even where it stands wrong.
    else if (typeOf(parsed.value) === 'token')
      bad(session, read.code, read.message, { original: null, bytes }, reply);
    else bad(session, read.code, read.message, frame, reply);
    return;
  }
  const { message } = read;
  const { hasOddText } = parsed;
  if (message.type === 'events') events(session, message, text, { bytes, at, hasOddText }, reply);
  else if (message.type === 'hello') reply(ingest.hello(connection, message, at));
  else void renew(session, message, reply);
}

function events(
  session: Session,
  batch: Batch,
  text: string,
  { bytes, at, hasOddText }: { readonly bytes: number; readonly at: number; readonly hasOddText: boolean },
  reply: Reply,
): void {
  const { ingest, connection } = session;
  const { producer } = connection;
  if (!producer) {
    const { counter } = ingest.core;
    counter.received(connection.edge, batch.events.length);
    counter.ended(connection.edge, 'refused', batch.events.length, 'invalid');
    refuse(reply, 'invalid', 'say hello before the first batch');
    return;
  }
  if (batch.producer !== producer.producer || batch.epoch !== producer.epoch) {
    const message = 'producer and epoch are not those of hello';
    bad(session, 'field-wrong', message, { original: text, bytes }, reply);
    return;
  }
  ingest.accept(connection, { batch, bytes, at, hasOddText }, reply);
}

async function renew(session: Session, message: Token, reply: Reply): Promise<void> {
  const { ingest, connection } = session;
  const identity = await ingest.identify.byToken(message.token).catch(() => null);
  if (!identity || !isSameSender(identity, connection.identity)) {
    refuse(reply, 'unauthenticated', 'the token proves nothing for this connection');
    stop(session);
    return;
  }
  connection.identity = identity;
  clearTimeout(session.timer);
  watchExpiry(session);
  reply({ type: 'stored', upTo: connection.producer?.durable ?? 0, bad: [] });
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
 * The replies that are not given yet, first to last. Linked: a list that runs empty at each frame is made anew at each.
 */
type Order = { first: Slot | null; last: Slot | null };

export function openOrder(): Order {
  return { first: null, last: null };
}

/** Wraps a reply so that it leaves after those that were wrapped before it. */
export function inOrder(order: Order, reply: Reply): Reply {
  const slot: Slot = { reply, answer: undefined, next: null };
  if (order.last) order.last.next = slot;
  else order.first = slot;
  order.last = slot;
  return (answer) => {
    slot.answer = answer;
    for (let due = order.first; due?.answer; due = order.first) {
      order.first = due.next;
      if (!due.next) order.last = null;
      // Else what is garbage and old would keep alive what is young.
      due.next = null;
      due.reply(due.answer);
    }
  };
}

/**
 * Asks for a new token a minute before the old one ends or some time earlier, drawn for each connection: those of a school that
 * came back together would renew within one second, thousands of signatures at once. Ends the connection with its token.
 */
function watchExpiry(session: Session): void {
  const { clock } = session.ingest.core;
  const { identity, peer } = session.connection;
  const { expiresAt } = identity;
  if (expiresAt === null) return;
  const left = Math.min(expiresAt - clock.now(), LONGEST_TIMER_MS);
  session.timer = setTimeout(
    () => {
      peer.push('reauth', { expiresAt });
      session.timer = setTimeout(() => stop(session), Math.max(0, expiresAt - clock.now()));
    },
    inSteps(Math.max(0, left - RENEW_BEFORE_MS) * (1 - RENEW_SPREAD * Math.random())),
  );
}

function inSteps(ms: number): number {
  return Math.floor(ms / TIMER_STEP_MS) * TIMER_STEP_MS;
}

function stop(session: Session): void {
  const { peer } = session.connection;
  clearTimeout(session.timer);
  peer.push('stop', { code: 'unauthenticated' });
  peer.close(CLOSE.unauthenticated);
}
