import { ALL, type Kind, onAny, pickBy } from './kind.ts';
import type { Lane, Outcome } from './lane.ts';

/** A kind that is one text, made from what a good one would be. */
function text(name: string, ends: readonly Outcome[], make: (lane: Lane, i: number) => string): Kind {
  return onAny({ name, group: 'json', edges: ALL, ends, run: ({ lane, i }) => lane.ask(make(lane, i)) });
}

const nested = (depth: number) => `,"x":${'['.repeat(depth)}${']'.repeat(depth)}`;
const escaped = (from: string) =>
  [...from].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const manyKeys = (count: number) =>
  `,"x":{${Array.from({ length: count }, (_, k) => `"${k.toString(36)}":1`).join()}}`;
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'] as const;

/** What is no JSON, or JSON that nobody may send, and JSON that only looks so. */
export const JSON_KINDS: readonly Kind[] = [
  text('empty', ['not-json'], () => ''),
  text('null', ['not-a-batch'], () => 'null'),
  text('scalar', ['not-a-batch'], (_, i) => pickBy(['7', '"m"', 'true', '-0.5'], i)),
  text('array', ['not-a-batch'], (_, i) => pickBy(['[]', '[1]', '[[],{}]'], i)),
  text('empty object', ['field-missing'], () => '{}'),
  text('truncated', ['not-json'], (lane, i) => lane.wrap().slice(0, -1 - (i % 20))),
  text('trailing junk', ['not-json'], (lane, i) => `${lane.wrap()}${pickBy([',', '}', ' x', '{}'], i)}`),
  text('byte order mark', ['not-json'], (lane) => `\ufeff${lane.wrap()}`),
  text('NaN', ['not-json'], (lane, i) =>
    lane.wrap('', pickBy(['NaN', 'Infinity', '-Infinity', 'undefined'], i)),
  ),
  text('1e400', ['schema'], (lane, i) => lane.wrap('', pickBy(['1e400', '-1e999'], i))),
  text('2^53 + 1', ['stored'], (lane) => lane.wrap('', '9007199254740993')),
  text('minus zero', ['stored'], (lane) => lane.wrap('', '-0')),
  text('depth 65', ['too-deep'], (lane) => lane.wrap(nested(65))),
  text('depth 30,000', ['too-deep'], (lane) => lane.wrap(nested(30_000))),
  text('duplicate keys', ['stored'], (lane) => lane.wrap(',"n":2,"n":3')),
  text('__proto__', ['forbidden-key'], (lane, i) => {
    const name = pickBy(FORBIDDEN, i);
    return lane.wrap(`,"${i % 2 === 0 ? name : escaped(name)}":{"isAdmin":true}`);
  }),
  text('lone surrogate', ['lone-surrogate', 'stored'], (lane, i) =>
    lane.wrap(`,"text":"${pickBy(['\\ud800', '\\udc00x', 'x\\ud83d'], i)}"`),
  ),
  text('NUL and controls in strings', ['stored'], (lane) =>
    lane.wrap(',"text":"\\u0000\\u0001\\u001f\\ufdd0"'),
  ),
  text('raw controls', ['not-json'], (lane, i) => lane.wrap(`,"text":"${String.fromCharCode(i % 32)}"`)),
  text('right-to-left and zero-width ids', ['stored'], (lane) =>
    lane.wrap(',"doc":"\\u202ed\\u200b\\u2066"'),
  ),
  text('many keys', ['too-many-keys'], (lane) => lane.wrap(manyKeys(2_001))),
  text('10,000 keys', ['too-many-keys', 'event-too-big'], (lane) => lane.wrap(manyKeys(10_000))),
  text('long string', ['event-too-big', 'string-too-long'], (lane) =>
    lane.wrap(`,"text":"${'x'.repeat(lane.edge === 'observer' ? 2 * 1024 * 1024 + 1 : 66_000)}"`),
  ),
];
