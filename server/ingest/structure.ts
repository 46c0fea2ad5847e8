import type { BadCode } from '#server/errors.ts';

/** Bounds of one edge on the JSON it takes. */
export type Bounds = {
  readonly depth: number;
  readonly keys: number;
  /** Characters; may look at the parsed frame, since large event types declare more. */
  readonly string: number | ((value: unknown) => number);
  /** True where lone surrogates become U+FFFD instead of making the frame bad. */
  readonly mendsSurrogates?: boolean;
};

/** `hasOddText`: some string may hold U+0000 or U+FDD0, which sources turn into U+FFFD. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown; readonly hasOddText: boolean }
  | { readonly ok: false; readonly code: BadCode };

/** The shortest object with more keys than `n` has this many characters: `"a":0,` each. */
const CHARACTERS_A_KEY = 5;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses one frame and holds it to the bounds. The text decides how closely the parsed value must be looked at: without
 * an escape `\u` a surrogate is in the value exactly if it is in the text, and no string or object is longer than the text. So
 * a usual frame costs one parse and one walk for depth and names.
 */
export function parseFrame(text: string, bounds: Bounds): Parsed {
  const hasEscapes = text.includes('\\u');
  const isWell = text.isWellFormed();
  let value: unknown;
  try {
    value = JSON.parse(bounds.mendsSurrogates && !isWell ? text.toWellFormed() : text);
  } catch {
    return { ok: false, code: 'not-json' };
  }
  const isClose =
    hasEscapes || !isWell || text.length > shortestSuspect(bounds) || isSuspect(value, bounds.depth);
  const code = isClose ? lookClosely(value, bounds) : null;
  if (code === 'lone-surrogate' && bounds.mendsSurrogates) {
    return { ok: true, value: mapStrings(value, (one) => one.toWellFormed()), hasOddText: true };
  }
  if (code) return { ok: false, code };
  return { ok: true, value, hasOddText: hasEscapes || text.includes('\ufdd0') };
}

function shortestSuspect(bounds: Bounds): number {
  const string = typeof bounds.string === 'number' ? bounds.string : 0;
  return Math.min(string, bounds.keys * CHARACTERS_A_KEY);
}

/** Too deep, or with a forbidden key. */
function isSuspect(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (isSuspect(value[i], depth - 1)) return true;
    return false;
  }
  for (const key in value) {
    if (FORBIDDEN_KEYS.has(key)) return true;
    if (isSuspect((value as Record<string, unknown>)[key], depth - 1)) return true;
  }
  return false;
}

/** The first fault in order of the bounds' own weight: depth before keys before strings before surrogates. */
function lookClosely(value: unknown, bounds: Bounds): BadCode | null {
  const string = typeof bounds.string === 'number' ? bounds.string : bounds.string(value);
  const found = new Set<BadCode>();
  const seeString = (text: string) => {
    if (text.length > string) found.add('string-too-long');
    if (!text.isWellFormed()) found.add('lone-surrogate');
  };
  const see = (one: unknown, depth: number): void => {
    if (typeof one === 'string') seeString(one);
    if (typeof one !== 'object' || one === null) return;
    if (depth === 0) {
      found.add('too-deep');
      return;
    }
    if (Array.isArray(one)) {
      for (const item of one) see(item, depth - 1);
      return;
    }
    const keys = Object.keys(one);
    if (keys.length > bounds.keys) found.add('too-many-keys');
    for (const key of keys) {
      if (FORBIDDEN_KEYS.has(key)) found.add('forbidden-key');
      seeString(key);
      see((one as Record<string, unknown>)[key], depth - 1);
    }
  };
  see(value, bounds.depth);
  return ORDER.find((code) => found.has(code)) ?? null;
}

const ORDER: readonly BadCode[] = [
  'too-deep',
  'too-many-keys',
  'string-too-long',
  'forbidden-key',
  'lone-surrogate',
];

/** A copy with every string, keys included, replaced. */
export function mapStrings(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, replace));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    copy[replace(key)] = mapStrings((value as Record<string, unknown>)[key], replace);
  }
  return copy;
}

const ODD_TEXT = new RegExp(`[${String.fromCharCode(0)}\ufdd0]`, 'g');

/** U+0000 and U+FDD0 become U+FFFD: lengths stay, positions hold, no database sees U+0000. */
export function withoutOddText(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return mapStrings(body, (text) => text.replace(ODD_TEXT, '\ufffd')) as Record<string, unknown>;
}
