import type { BadCode } from '#server/errors.ts';
import type { Batch, Hello, Token } from './protocol.ts';

export type Fault = { readonly ok: false; readonly code: BadCode; readonly message: string };
export type Message = { readonly ok: true; readonly message: Hello | Batch | Token };

/** 128 random bits in base64url have 22 characters; `~` at the front is kept for producers that the server makes. */
const PRODUCER = /^[\w-]{16,64}$/;
const MAX_NAME = 128;

type Fields = Readonly<Record<string, unknown>>;

/** Step 4 of delivery.md §4: one message of wire.md part B, or why it is none. */
export function readMessage(value: unknown, maxEvents: number): Message | Fault {
  if (!isObject(value)) return fault('not-a-batch', 'the frame is not an object');
  if (value.v !== 1) return fault(value.v === undefined ? 'field-missing' : 'version-unknown', 'v must be 1');
  if (value.type === 'events') return readBatch(value, maxEvents);
  if (value.type === 'hello') return readHello(value);
  if (value.type === 'token') return readToken(value);
  return value.type === undefined
    ? fault('field-missing', 'type is missing')
    : fault('not-a-batch', 'type must be hello, events or token');
}

function readBatch(value: Fields, maxEvents: number): Message | Fault {
  const wrong = wrongProducer(value);
  if (wrong) return wrong;
  if (!isSeq(value.from)) return fieldFault(value, 'from', 'seq-invalid');
  if (!isName(value.source)) return fieldFault(value, 'source');
  const { events } = value;
  if (!Array.isArray(events)) return fieldFault(value, 'events');
  if (events.length === 0) return fault('batch-empty', 'events is empty');
  if (events.length > maxEvents) return fault('batch-too-long', `events has more than ${maxEvents} elements`);
  if (!isSeq(value.from + events.length - 1)) return fault('seq-invalid', 'from is too large');
  for (let i = 0; i < events.length; i++) {
    const found = wrongEvent(events[i], i);
    if (found) return found;
  }
  return { ok: true, message: asMessage(value) };
}

function wrongEvent(event: unknown, i: number): Fault | undefined {
  if (!isObject(event)) return fault('field-wrong', `events.${i} is not an object`);
  if (!isName(event.event)) return fieldFault(event, 'event', 'field-wrong', `events.${i}.`);
  if (!isTime(event.sentAt)) return fieldFault(event, 'sentAt', 'field-wrong', `events.${i}.`);
  if (event.tick !== undefined && !isTime(event.tick))
    return fieldFault(event, 'tick', 'field-wrong', `events.${i}.`);
  if (!isObject(event.body)) return fieldFault(event, 'body', 'field-wrong', `events.${i}.`);
  return undefined;
}

function readHello(value: Fields): Message | Fault {
  const wrong = wrongProducer(value) ?? wrongHold(value);
  return wrong ?? { ok: true, message: asMessage(value) };
}

/** What a hello says beyond who it is, and what a batch over HTTP carries too: `oldest` and `now`. */
export function wrongHold(value: Fields): Fault | undefined {
  if (!isSeq(value.oldest)) return fieldFault(value, 'oldest');
  return isTime(value.now) ? undefined : fieldFault(value, 'now');
}

function readToken(value: Fields): Message | Fault {
  const isToken = typeof value.token === 'string' && value.token.length > 0 && value.token.length <= 4096;
  return isToken ? { ok: true, message: asMessage(value) } : fieldFault(value, 'token');
}

function wrongProducer(value: Fields): Fault | undefined {
  if (typeof value.producer !== 'string' || !PRODUCER.test(value.producer))
    return fieldFault(value, 'producer');
  return isSeq(value.epoch) ? undefined : fieldFault(value, 'epoch');
}

/** Every field of the type was checked by the caller. */
function asMessage(value: Fields): Hello | Batch | Token {
  return value as unknown as Hello | Batch | Token;
}

function fieldFault(value: Fields, name: string, code: BadCode = 'field-wrong', where = ''): Fault {
  return value[name] === undefined
    ? fault('field-missing', `${where}${name} is missing`)
    : fault(code, `${where}${name} is wrong`);
}

function fault(code: BadCode, message: string): Fault {
  return { ok: false, code, message };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
