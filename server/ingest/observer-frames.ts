import type { BadCode } from '#server/errors.ts';
import { isObject } from './envelope.ts';
import type { Fields } from './lock-fields.ts';
import { type Bounds, parseFrame } from './structure.ts';

/** A readable frame of the predecessor's protocol. `n` counts the frames of its socket from 1. */
export type Frame = {
  readonly n: number;
  readonly at: number;
  readonly bytes: number;
  readonly event: string;
  readonly value: Fields;
  readonly hasOddText: boolean;
};
export type BadFrame = { readonly code: BadCode; readonly message: string };

const MAX_EVENT_NAME = 128;
const DAY_MS = 86_400_000;
const MESSAGES: Readonly<Partial<Record<BadCode, string>>> = {
  'not-json': 'is not json',
  'too-deep': 'is nested too deep',
  'too-many-keys': 'has an object with too many keys',
  'string-too-long': 'has a string that is too long',
  'forbidden-key': 'has a key that is not allowed',
};

export function observerBounds(stringCharacters: number): Bounds {
  // Old clients cannot repair a lone surrogate, and one must not cost a whole save.
  return { depth: 64, keys: 2_000, string: stringCharacters, mendsSurrogates: true };
}

/** Reads one text frame: an object with a name in `event` (wire.md §A3). */
export function readFrame(
  text: string,
  about: { n: number; at: number; bytes: number },
  bounds: Bounds,
): Frame | BadFrame {
  const parsed = parseFrame(text, bounds);
  if (!parsed.ok)
    return { code: parsed.code, message: `frame ${about.n} ${MESSAGES[parsed.code] ?? 'cannot be read'}` };
  const { value, hasOddText } = parsed;
  if (!isObject(value)) return { code: 'not-a-batch', message: `frame ${about.n} is not an object` };
  const { event } = value;
  if (event === undefined) return { code: 'field-missing', message: `frame ${about.n} has no event` };
  if (typeof event !== 'string' || event.length === 0 || event.length > MAX_EVENT_NAME) {
    return { code: 'field-wrong', message: `event of frame ${about.n} is not a name` };
  }
  return { ...about, event, value, hasOddText };
}

/** The client's clock at capture, uncorrected; absent unless between 400 days before and a day after `at` (wire.md §A4). */
export function sentAtOf(value: Fields, at: number): number | undefined {
  const metadata = isObject(value.metadata) ? value.metadata : {};
  for (const given of [metadata.ts, metadata.iso_ts, value.timestamp, value.ts]) {
    if (given === undefined || given === null) continue;
    const time = typeof given === 'string' ? Date.parse(given) : given;
    if (typeof time !== 'number') continue;
    return time >= at - 400 * DAY_MS && time <= at + DAY_MS ? time : undefined;
  }
  return undefined;
}

/** Fields that steer the connection or prove who it is: never part of an event. */
const NOT_OF_AN_EVENT = [
  'answers',
  'event',
  'metadata',
  'ingest_token',
  'chrome_identity',
  'browserInfo',
] as const;

/** What the source's schema gets to see: the event's own fields, replaced by locked ones. */
export function bodyOf(frame: Frame, locked: Fields): Record<string, unknown> {
  const body: Record<string, unknown> = { ...frame.value, ...locked };
  for (const name of NOT_OF_AN_EVENT) if (name in body) delete body[name];
  return body;
}

/** The source of a data event, as sent: a locked one before the event's own. */
export function sourceOf(frame: Frame, locked: Fields): string | undefined {
  const source = locked.source ?? frame.value.source;
  return typeof source === 'string' ? source : undefined;
}

const SECRETS = /ingest_token|chrome_identity|localStorageInfo|sessionStorageInfo/;

/** The text that a bad row may keep: none where it could hold a proof of who somebody is. */
export function keepableText(text: string): string | null {
  return SECRETS.test(text) ? null : text;
}

/** What `connected` says of the client: user agent, platform, language and kind of connection, no more. */
export function clientOf(browserInfo: unknown): Record<string, string> | undefined {
  const info = isObject(browserInfo) && isObject(browserInfo.browser_info) ? browserInfo.browser_info : {};
  const navigator = isObject(info.navigator) ? info.navigator : {};
  const connection = isObject(info.connection) ? info.connection : {};
  const client: Record<string, string> = {};
  const add = (name: string, value: unknown) => {
    if (typeof value === 'string') client[name] = value.slice(0, 256);
  };
  add('userAgent', navigator.userAgent);
  add('platform', navigator.platform);
  add('language', navigator.language);
  add('connection', connection.effectiveType);
  return Object.keys(client).length > 0 ? client : undefined;
}
