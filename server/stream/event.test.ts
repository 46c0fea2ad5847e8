import { describe, expect, it } from 'vitest';
import type { Entry } from '#server/archive/entry.ts';
import { eventOf } from './apply.ts';

function entry(o: number, more: Partial<Entry>): Entry {
  return { o, k: 'batch', t: 5_000, s: 'ada', p: 'p', e: 1, f: 10 * o + 1, src: 'pad', off: 0, ...more };
}

describe('an event', () => {
  it('has its envelope from the entry, whatever its body says', () => {
    const body = { n: 1, id: 'x', source: 'x', event: 'x', student: 'eve', at: 1, sentAt: 4_999 };
    const event = eventOf(entry(3, { f: 7 }), { event: 'typed', body }, 2);
    expect(event).toEqual({ n: 1, id: 'p:1:9', source: 'pad', event: 'typed', student: 'ada', at: 5_000 });
    expect('sentAt' in event).toBe(false);
  });

  it.each([
    ['as the client said, moved by the clock offset', 4_000, 500, 4_500],
    ['absent when it lies over 5 s after receipt', 9_501, 500, undefined],
    ['kept up to 5 s after receipt', 9_500, 500, 10_000],
    ['absent when it lies over 400 days before receipt', 4_999 - 400 * 86_400_000, 0, undefined],
    ['kept up to 400 days before receipt', 5_000 - 400 * 86_400_000, 0, 5_000 - 400 * 86_400_000],
    ['uncorrected, up to a day ahead, from a client without hello', 86_405_000, undefined, 86_405_000],
    ['absent over a day ahead from a client without hello', 86_405_001, undefined, undefined],
  ])('has a client time: %s', (_what, sentAt, off, expected) => {
    const event = eventOf(entry(0, { off }), { event: 'typed', sentAt, body: {} }, 0);
    expect(event.sentAt).toBe(expected);
  });
});
