import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AppError, type BadCode } from '#server/errors.ts';
import type { OpenConnection, Peer } from './connections.ts';
import { readMessage, wrongHold } from './envelope.ts';
import type { Identity } from './identity.ts';
import type { Ingest } from './ingest.ts';
import type { Answer, Batch, Hello } from './protocol.ts';
import { type Bounds, parseFrame } from './structure.ts';

const gunzipAsync = promisify(gunzip);
const GZIP = 'gzip';
const JSON_TYPE = /^application\/json\s*(;\s*charset=utf-8\s*)?$/i;
const TOO_LARGE: readonly BadCode[] = [
  'event-too-big',
  'batch-too-long',
  'string-too-long',
  'too-many-keys',
  'too-deep',
];

/** `POST /api/events` (wire.md part D) for ingest tokens: one batch of part B with `oldest` and `now`. No cookie is read. */
export async function postEvents(ingest: Ingest, request: Request): Promise<Response> {
  try {
    const identity = await identityOf(ingest, request);
    const text = await bodyOf(request, ingest.core.limits.httpBytes);
    const { batch, hello, hasOddText } = batchOf(ingest, text);
    await ingest.core.rules.prepare(identity.student);
    const bytes = Buffer.byteLength(text);
    return await accept(ingest, identity, { batch, hello, hasOddText, bytes });
  } catch (cause) {
    if (cause instanceof HttpFault) return respond(cause.status, cause.body, cause.retryAfterMs);
    throw cause;
  }
}

/** A request that ends with nothing stored. */
class HttpFault extends Error {
  readonly status: number;
  readonly body: object;
  readonly retryAfterMs: number | undefined;
  constructor(status: number, code: string, message: string, more: { retryAfterMs?: number } = {}) {
    super(message);
    this.status = status;
    this.body = { code, message };
    this.retryAfterMs = more.retryAfterMs;
  }
}

function respond(status: number, body: object, retryAfterMs?: number): Response {
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
  return Response.json(body, { status, headers });
}

async function identityOf(ingest: Ingest, request: Request): Promise<Identity> {
  const token = /^Bearer ([\w.~+/=-]{1,4096})$/.exec(request.headers.get('authorization') ?? '')?.[1];
  const identity = token === undefined ? null : await ingest.identify.byToken(token);
  if (!identity) throw new HttpFault(401, 'unauthenticated', 'send an ingest token as bearer');
  return identity;
}

async function bodyOf(request: Request, mostBytes: number): Promise<string> {
  if (!JSON_TYPE.test(request.headers.get('content-type') ?? '')) {
    throw new HttpFault(415, 'invalid', 'the content type must be application/json');
  }
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding !== GZIP && encoding !== 'identity')
    throw new HttpFault(415, 'invalid', 'the encoding must be gzip or none');
  const sent = await readBody(request, mostBytes);
  const bytes = encoding === GZIP ? await inflate(sent, mostBytes) : sent;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new HttpFault(400, 'not-utf8', 'the body is not utf-8');
  }
}

async function readBody(request: Request, mostBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Stops inflating at the limit: a small body may unpack to gigabytes. */
async function inflate(bytes: Buffer, mostBytes: number): Promise<Buffer> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: mostBytes });
  } catch (cause) {
    const isTooLarge = cause instanceof RangeError;
    throw isTooLarge ? tooLarge() : new HttpFault(400, 'invalid', 'the body is not gzip');
  }
}

function tooLarge(): HttpFault {
  return new HttpFault(413, 'event-too-big', 'the body is too large');
}

function batchOf(ingest: Ingest, text: string): { batch: Batch; hello: Hello; hasOddText: boolean } {
  const { limits } = ingest.core;
  const parsed = parseFrame(text, boundsOf(ingest));
  if (!parsed.ok) throw badRequest(parsed.code, 'the body cannot be read as json of this edge');
  const read = readMessage(parsed.value, limits.frameEvents);
  if (!read.ok) throw badRequest(read.code, read.message);
  const batch = read.message;
  if (batch.type !== 'events') throw badRequest('not-a-batch', 'the body must be a batch');
  const hold = wrongHold(parsed.value as Readonly<Record<string, unknown>>);
  if (hold) throw badRequest(hold.code, hold.message);
  const mayBeLarge = batch.events.length === 1 && largestOf(ingest, batch) > limits.frameBytes;
  if (!mayBeLarge && text.length > limits.frameBytes / 3 && Buffer.byteLength(text) > limits.frameBytes)
    throw tooLarge();
  const { oldest, now } = batch as Batch & { oldest: number; now: number };
  const hello: Hello = { v: 1, type: 'hello', producer: batch.producer, epoch: batch.epoch, oldest, now };
  return { batch, hello, hasOddText: parsed.hasOddText };
}

function badRequest(code: BadCode, message: string): HttpFault {
  return new HttpFault(TOO_LARGE.includes(code) ? 413 : 400, code, message);
}

function largestOf(ingest: Ingest, batch: Batch): number {
  const type = ingest.core.sources.find(batch.source)?.types.get(batch.events[0]?.event ?? '');
  return type?.maxBytes ?? 0;
}

const STRING_CHARACTERS = 128 * 1024;

/** Strings may be as long as the one large event that the batch holds. */
function boundsOf(ingest: Ingest): Bounds {
  const string = (value: unknown) => {
    const read = readMessage(value, 1);
    if (!read.ok || read.message.type !== 'events') return STRING_CHARACTERS;
    return Math.max(STRING_CHARACTERS, largestOf(ingest, read.message));
  };
  return { depth: 64, keys: 2_000, string };
}

type Input = {
  readonly batch: Batch;
  readonly hello: Hello;
  readonly hasOddText: boolean;
  readonly bytes: number;
};

/** One request is one connection that says hello and sends one batch. */
async function accept(ingest: Ingest, identity: Identity, input: Input): Promise<Response> {
  const { batch, hello, hasOddText, bytes } = input;
  const connection = ingest.open({ identity, edge: 'http', peer: DEAF, isSilent: true });
  const at = ingest.core.clock.now();
  try {
    const greeting = ingest.hello(connection, hello, at);
    const answer =
      greeting.type === 'refused'
        ? greeting
        : await answerOf(ingest, connection, { batch, bytes, at, hasOddText });
    return responseOf(answer);
  } finally {
    ingest.close(connection, 'answered');
  }
}

function answerOf(
  ingest: Ingest,
  connection: OpenConnection,
  received: Parameters<Ingest['accept']>[1],
): Promise<Answer> {
  return new Promise((resolve) => ingest.accept(connection, received, resolve));
}

/** A request has no other way back than its response. */
const DEAF: Peer = { push: () => {}, pause: () => {}, resume: () => {}, close: () => {} };

const LIMITED = new Set(['rate-limited', 'daily-quota', 'too-many-in-flight']);
const CONFLICTS = new Set(['gap', 'conflict', 'forbidden']);

function responseOf(answer: Answer): Response {
  if (answer.type === 'stored') return respond(answer.bad.length > 0 || answer.declined ? 207 : 200, answer);
  if (answer.type !== 'refused') throw new AppError('internal', 'a batch was answered with something else');
  if (CONFLICTS.has(answer.code)) return respond(409, answer);
  return respond(LIMITED.has(answer.code) ? 429 : 503, answer, answer.retryAfterMs ?? 1_000);
}
