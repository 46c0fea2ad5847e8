import { isText } from '#modules/kit/text.ts';
import { Halting } from './halting.ts';

/** `chars`: about the length of the state's JSON, texts apart; `text`: characters in texts. */
export type Size = { readonly chars: number; readonly text: number };

const DEEPEST = 64;
let text = 0;

/**
 * How much larger `next` is than `prev`, by walking only what differs between the two: a step pays for what it
 * made anew, not for the state. Every step is measured, not every flush, so that a replay halts at the same event.
 *
 * Throws `Halting` `not-json` for what JSON cannot hold. An undefined property counts as absent.
 */
export function growth(next: unknown, prev: unknown): Size {
  text = 0;
  const chars = change(next, prev, 0);
  return { chars, text: small(text) };
}

/** Size of a whole value; throws as `growth`. */
export function sizeOf(value: unknown): Size {
  text = 0;
  const chars = weigh(value, 0, 1);
  return { chars, text: small(text) };
}

/** What a module's variable holds comes as an object of its own, and so would be kept by each state. Memory ends before 2³¹. */
function small(count: number): number {
  return count | 0;
}

function change(next: unknown, prev: unknown, depth: number): number {
  if (next === prev) return 0;
  // Most of what a step changes is a number or a string, and most states are records.
  if (typeof next === 'number' && typeof prev === 'number' && Number.isFinite(next)) return 0;
  if (typeof next === 'string' && typeof prev === 'string') return next.length - prev.length;
  if (!isObject(next) || !isObject(prev)) return weigh(next, depth, 1) - weigh(prev, depth, -1);
  if (isRecord(next)) {
    if (isRecord(prev)) return recordChange(next, prev, depth + 1);
  } else if (Array.isArray(next) && Array.isArray(prev)) return arrayChange(next, prev, depth + 1);
  return weigh(next, depth, 1) - weigh(prev, depth, -1);
}

function arrayChange(next: readonly unknown[], prev: readonly unknown[], depth: number): number {
  if (depth > DEEPEST) throw tooDeep();
  const skipped = shiftOf(next, prev);
  let sum = 0;
  for (let i = 0; i < skipped; i++) sum -= weigh(prev[i], depth, -1) + 1;
  const both = Math.min(next.length, prev.length - skipped);
  for (let i = 0; i < both; i++) {
    const value = next[i];
    if (value === prev[i + skipped] && value !== undefined) continue;
    sum += change(inArray(value), prev[i + skipped], depth);
  }
  for (let i = both; i < next.length; i++) sum += weigh(inArray(next[i]), depth, 1) + 1;
  for (let i = both + skipped; i < prev.length; i++) sum -= weigh(prev[i], depth, -1) + 1;
  return sum;
}

/** A window that slid: how many of the oldest elements it dropped, as far as a short look tells. */
function shiftOf(next: readonly unknown[], prev: readonly unknown[]): number {
  const first = next[0];
  if (!isObject(first)) return 0;
  for (let i = 0; i < 4 && i < prev.length; i++) if (prev[i] === first) return i;
  return 0;
}

type Fields = Readonly<Record<string, unknown>>;

/** What `next` says, by depth: lists for every comparison would be a twelfth of all that a busy server allocates. */
const NAMES: string[][] = [];
const VALUES: unknown[][] = [];

/**
 * Most steps keep the names that a record has, in their order, and then the values can be compared by place: a property
 * looked up by a name that changes from record to record makes the engine throw away its optimised code for ever.
 */
function recordChange(next: Fields, prev: Fields, depth: number): number {
  if (depth > DEEPEST) throw tooDeep();
  NAMES[depth] ??= [];
  VALUES[depth] ??= [];
  const names = NAMES[depth];
  const values = VALUES[depth];
  let count = 0;
  for (const name in next) {
    names[count] = name;
    values[count++] = next[name];
  }
  const textBefore = text;
  let sum = 0;
  let at = 0;
  for (const name in prev) {
    if (at === count || name !== names[at]) {
      at = -1;
      break;
    }
    sum += fieldChange(name, values[at++], prev[name], depth);
  }
  if (at === count) return sum;
  text = textBefore;
  return shapeChange(next, prev, depth);
}

function shapeChange(next: Fields, prev: Fields, depth: number): number {
  let sum = 0;
  for (const name in next) sum += fieldChange(name, next[name], prev[name], depth);
  for (const name in prev)
    if (!Object.hasOwn(next, name)) sum += fieldChange(name, undefined, prev[name], depth);
  return sum;
}

function fieldChange(name: string, value: unknown, before: unknown, depth: number): number {
  if (value === before) return 0;
  if (value === undefined) return -weigh(before, depth, -1) - name.length - 4;
  if (before === undefined) return weigh(value, depth, 1) + name.length + 4;
  return change(value, before, depth);
}

/** `sign`: whether the texts inside come or go. */
function weigh(value: unknown, depth: number, sign: 1 | -1): number {
  switch (typeof value) {
    case 'string':
      return value.length + 2;
    case 'number':
      if (!Number.isFinite(value)) throw new Halting('not-json', `the state holds the number ${value}`);
      return 8;
    case 'boolean':
      return 5;
    case 'object':
      return value === null ? 4 : weighObject(value, depth + 1, sign);
    default:
      throw new Halting('not-json', `the state holds a value of type ${typeof value}`);
  }
}

function weighObject(value: object, depth: number, sign: 1 | -1): number {
  if (depth > DEEPEST) throw tooDeep();
  let sum = 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) sum += weigh(inArray(value[i]), depth, sign) + 1;
    return sum;
  }
  if (isText(value)) {
    const root = value.$text;
    text += sign * ('s' in root ? root.s.length : root.n);
    return 20;
  }
  if (!isRecord(value)) throw new Halting('not-json', `the state holds a ${value.constructor?.name}`);
  for (const name in value)
    if (value[name] !== undefined) sum += weigh(value[name], depth, sign) + name.length + 4;
  return sum;
}

function inArray(value: unknown): unknown {
  if (value === undefined) throw new Halting('not-json', 'a list of the state holds undefined');
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  const prototype = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !isText(value);
}

function tooDeep(): Halting {
  return new Halting('not-json', `the state is deeper than ${DEEPEST}, or holds itself`);
}
