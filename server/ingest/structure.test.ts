import { describe, expect, it } from 'vitest';
import { type Bounds, parseFrame, withoutOddText } from './structure.ts';

const bounds: Bounds = { depth: 64, keys: 2_000, string: 128 * 1024 };
const codeOf = (text: string, more: Partial<Bounds> = {}) => {
  const parsed = parseFrame(text, { ...bounds, ...more });
  return parsed.ok ? 'ok' : parsed.code;
};
const nested = (depth: number, open = '{"a":', close = '}') => `${open.repeat(depth)}1${close.repeat(depth)}`;

describe('parseFrame', () => {
  it('refuses what is not json, and takes what is', () => {
    for (const text of ['', '[', 'nul', '{"a":1}x', '\ufeff{}', '{"a":NaN}', "{'a':1}"])
      expect(codeOf(text)).toBe('not-json');
    for (const text of ['{}', '[]', 'null', '7', '"a"', '{"a":1e400}', '{"a":-0}', '{"a":1,"a":2}'])
      expect(codeOf(text)).toBe('ok');
  });

  it('counts depth to the limit in objects, arrays and both, however deep it goes', () => {
    expect(codeOf(nested(64))).toBe('ok');
    expect(codeOf(nested(65))).toBe('too-deep');
    expect(codeOf(nested(64, '[', ']'))).toBe('ok');
    expect(codeOf(nested(65, '[', ']'))).toBe('too-deep');
    expect(codeOf(nested(33, '[{"a":', '}]'))).toBe('too-deep');
    expect(codeOf(nested(30_000, '[', ']'))).toBe('too-deep');
    expect(codeOf(`{"x":"\\u0041","a":${nested(64)}}`)).toBe('too-deep');
  });

  it('counts the keys of each object', () => {
    const withKeys = (n: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [i.toString(36), 0])));
    expect(codeOf(withKeys(2_000))).toBe('ok');
    expect(codeOf(withKeys(2_001))).toBe('too-many-keys');
    expect(codeOf(`{"a":[${withKeys(2_001)}]}`)).toBe('too-many-keys');
    expect(codeOf('{"a":0,"b":0}', { keys: 1 })).toBe('too-many-keys');
  });

  it('measures strings and keys', () => {
    expect(codeOf(`{"a":"${'x'.repeat(128 * 1024)}"}`)).toBe('ok');
    expect(codeOf(`{"a":"${'x'.repeat(128 * 1024 + 1)}"}`)).toBe('string-too-long');
    expect(codeOf(`{"${'x'.repeat(128 * 1024 + 1)}":1}`)).toBe('string-too-long');
    expect(codeOf('{"a":"xyz"}', { string: 2 })).toBe('string-too-long');
    expect(codeOf('{"a":"xyz"}', { string: () => 2 })).toBe('string-too-long');
  });

  it('finds forbidden keys, written out or escaped, and leaves such words in values alone', () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      expect(codeOf(`{"a":[{"${key}":1}]}`)).toBe('forbidden-key');
      const escaped = [...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
      expect(codeOf(`{"a":{"${escaped}":1}}`)).toBe('forbidden-key');
      expect(codeOf(`{"a":"${key}","x${key}":1}`)).toBe('ok');
    }
  });

  it('finds lone surrogates, escaped or raw, in values and keys, or mends them', () => {
    for (const text of [
      '{"a":"\\ud800"}',
      '{"\\uDC00":1}',
      `{"a":"x\ud800y"}`,
      '{"a":"\\ud800\\ud800\\udc00"}',
    ]) {
      expect(codeOf(text)).toBe('lone-surrogate');
      const mended = parseFrame(text, { ...bounds, mendsSurrogates: true });
      expect(mended.ok && JSON.stringify(mended.value)).toContain('\ufffd');
    }
    expect(codeOf('{"a":"\\ud83d\\ude00 😀"}')).toBe('ok');
  });

  it('says where U+0000 or U+FDD0 may be, and they become U+FFFD in copies', () => {
    const odd = (text: string) => {
      const parsed = parseFrame(text, bounds);
      return parsed.ok && parsed.hasOddText;
    };
    expect(odd('{"a":"\\u0000"}')).toBe(true);
    expect(odd('{"a":"\ufdd0"}')).toBe(true);
    expect(odd('{"a":"\\ufdd0"}')).toBe(true);
    expect(odd('{"a":"plain ä 😀 \\n"}')).toBe(false);
    const body = { a: '\0x', b: [{ c: '\ufdd0' }], d: 1, e: null };
    expect(withoutOddText(body)).toEqual({ a: '\ufffdx', b: [{ c: '\ufffd' }], d: 1, e: null });
    expect(body.a).toBe('\0x');
  });
});
