import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { BAD_CODES, type BadCode } from '#server/errors.ts';
import { isObject, readMessage, wrongHold } from '#server/ingest/envelope.ts';
import { type Bounds, parseFrame, withoutOddText } from '#server/ingest/structure.ts';
import type { Property } from './property.ts';

const MOST_EVENTS = 4;
const seq = z.int().min(1);
const name = z.string().min(1).max(128);
const time = z.number();
const object = z.custom<object>(isObject);
const who = { v: z.literal(1), producer: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/), epoch: seq };
const event = z.object({ event: name, sentAt: time, tick: time.optional(), body: object });

/** The envelope of wire.md part B once more, as a schema. */
const MODEL = z.union([
  z
    .object({ ...who, type: z.literal('events'), from: seq, source: name })
    .extend({ events: z.array(event).min(1).max(MOST_EVENTS) })
    .refine(({ from, events }) => Number.isSafeInteger(from + events.length - 1)),
  z.object({ ...who, type: z.literal('hello'), oldest: seq, now: time }),
  z.object({ v: z.literal(1), type: z.literal('token'), token: z.string().min(1).max(4096) }),
]);

const goodSeq = fc.oneof(fc.integer({ min: 1 }), fc.constant(Number.MAX_SAFE_INTEGER));
const goodName = fc.oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constant('n'.repeat(128)));
const goodProducer = fc.stringMatching(/^[\w-]{16,64}$/);
const goodEvent = fc.record(
  {
    event: goodName,
    sentAt: fc.double({ noNaN: true }),
    tick: fc.double({ noNaN: true }),
    body: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
  },
  { requiredKeys: ['event', 'sentAt', 'body'] },
);
const goodWho = { v: fc.constant(1), producer: goodProducer, epoch: goodSeq };
const good: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({
    ...goodWho,
    type: fc.constant('events'),
    from: goodSeq,
    source: goodName,
    events: fc.array(goodEvent, { maxLength: MOST_EVENTS + 1 }),
  }),
  fc.record({ ...goodWho, type: fc.constant('hello'), oldest: goodSeq, now: fc.double({ noNaN: true }) }),
  fc.record({
    v: fc.constant(1),
    type: fc.constant('token'),
    token: fc.oneof(fc.string(), fc.constant('t'.repeat(4096)), fc.constant('t'.repeat(4097))),
  }),
);
const junk = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    '',
    'x',
    0,
    -1,
    1,
    1.5,
    2 ** 53,
    -0,
    1e308,
    [],
    {},
    [1],
    'n'.repeat(129),
    'events',
    'hello',
    'token',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const FIELDS = ['v', 'type', 'producer', 'epoch', 'from', 'source', 'events', 'oldest', 'now', 'token'];
const EVENT_FIELDS = ['event', 'sentAt', 'tick', 'body'];

/** A message with up to two of its fields, or of its events', turned into something else. */
const mutant = fc
  .tuple(
    good,
    fc.array(fc.tuple(fc.constantFrom(...FIELDS), junk), { maxLength: 2 }),
    fc.option(fc.tuple(fc.nat(MOST_EVENTS), fc.constantFrom('', ...EVENT_FIELDS), junk)),
  )
  .map(([message, fields, inside]) => {
    const changed: Record<string, unknown> = { ...message, ...Object.fromEntries(fields) };
    const events = changed.events;
    if (inside && Array.isArray(events) && events.length > 0) {
      const [at, field, value] = inside;
      const place = at % events.length;
      changed.events = events.map((one, i) => {
        if (i !== place) return one;
        return field === '' ? value : { ...(one as object), [field]: value };
      });
    }
    return JSON.parse(JSON.stringify(changed)) as unknown;
  });

const envelope: Property = {
  name: 'an envelope is read exactly if it is one, and a fault has a code of the list and quotes nothing',
  of: () =>
    fc.property(fc.oneof({ weight: 9, arbitrary: mutant }, fc.jsonValue()), (value) => {
      const read = readMessage(value, MOST_EVENTS);
      equal(read.ok, MODEL.safeParse(value).success);
      if (read.ok) equal(read.message, value);
      else {
        ok(BAD_CODES.includes(read.code), read.code);
        ok(/^[\w ,.]{1,80}$/.test(read.message), read.message);
      }
      if (isObject(value)) {
        const hold = z.object({ oldest: seq, now: time }).safeParse(value);
        equal(wrongHold(value) === undefined, hold.success);
      }
    }),
};

const SMALL = { depth: 3, keys: 3, string: 14 };
/** Only the depth can be broken, so the look at it is the quick one. */
const ROOMY = { depth: 3, keys: 1_000, string: 5_000 };
const oddText = fc.oneof(
  fc.string({ maxLength: 16, unit: 'binary' }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    '\ud800',
    'x\udc00',
    '\ud83d\ude00',
    '\0',
    '\ufdd0',
    'a'.repeat(15),
  ),
);
const { value: oddValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(oddText, fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    // Entries and not an object, so that `__proto__` is a key like others.
    fc.array(fc.tuple(oddText, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
}));

/** JSON with keys as they are, and now and then written with escapes; surrogates raw or escaped. */
function textOf(value: unknown, isEscaped: boolean): string {
  if (value instanceof Map)
    return `{${[...value].map(([key, one]) => `${quoted(String(key), isEscaped)}:${textOf(one, isEscaped)}`).join()}}`;
  if (Array.isArray(value)) return `[${value.map((one) => textOf(one, isEscaped)).join()}]`;
  return typeof value === 'string' ? quoted(value, isEscaped) : JSON.stringify(value);
}

function quoted(text: string, isEscaped: boolean): string {
  if (!isEscaped) {
    // JSON.stringify escapes lone surrogates; a frame may hold them raw.
    return `"${[...text].map((one) => (one.isWellFormed() ? JSON.stringify(one).slice(1, -1) : one)).join('')}"`;
  }
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
}

/** What is wrong with a parsed value, written from the table of delivery.md §4, step 3. */
function faultsIn(
  value: unknown,
  { depth, keys, string }: typeof SMALL,
  found = new Set<string>(),
): Set<string> {
  const see = (text: string) => {
    if (text.length > string) found.add('string-too-long');
    if (!text.isWellFormed()) found.add('lone-surrogate');
  };
  if (typeof value === 'string') see(value);
  if (typeof value !== 'object' || value === null) return found;
  if (depth === 0) return found.add('too-deep');
  const names = Array.isArray(value) ? [] : Object.keys(value);
  if (names.length > keys) found.add('too-many-keys');
  for (const one of names) {
    if (['__proto__', 'constructor', 'prototype'].includes(one)) found.add('forbidden-key');
    see(one);
  }
  for (const inside of Array.isArray(value)
    ? value
    : names.map((one) => Object.getOwnPropertyDescriptor(value, one)?.value))
    faultsIn(inside, { depth: depth - 1, keys, string }, found);
  return found;
}
const WORST_FIRST: readonly BadCode[] = [
  'too-deep',
  'too-many-keys',
  'string-too-long',
  'forbidden-key',
  'lone-surrogate',
];

const structure: Property = {
  name: 'a frame is refused exactly for what it breaks, however it is written',
  of: () =>
    fc.property(
      oddValue,
      fc.constantFrom(SMALL, ROOMY),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      (value, limits, isEscaped, mendsSurrogates, isMeasured) => {
        const text = textOf(value, isEscaped);
        const bounds: Bounds = {
          ...limits,
          string: isMeasured ? () => limits.string : limits.string,
          mendsSurrogates,
        };
        const parsed = parseFrame(text, bounds);
        const faults = faultsIn(JSON.parse(text), limits);
        if (mendsSurrogates) faults.delete('lone-surrogate');
        const worst = WORST_FIRST.find((code) => faults.has(code)) ?? null;
        equal(parsed.ok ? null : parsed.code, worst);
        if (!parsed.ok) return;
        const clean = withoutOddText({ value: parsed.value });
        ok(!/[\0\ufdd0]/.test(JSON.stringify(clean).replaceAll('\\u0000', '\0')));
        if (!parsed.hasOddText) equal(JSON.stringify(clean), JSON.stringify({ value: parsed.value }));
        if (mendsSurrogates)
          ok(faultsIn(parsed.value, { depth: 99, keys: 99, string: 999 }).has('lone-surrogate') === false);
      },
    ),
};

const anyText: Property = {
  name: 'no text makes the parser throw',
  of: () =>
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json().map((text) => text.slice(1)),
        fc.json(),
      ),
      (text) => {
        const parsed = parseFrame(text, SMALL);
        if (!parsed.ok) ok(BAD_CODES.includes(parsed.code), parsed.code);
      },
    ),
};

export const VALIDATOR: readonly Property[] = [envelope, structure, anyText];
