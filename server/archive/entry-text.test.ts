import { expect, test } from 'vitest';
import { seededRandom } from '#server/simulate/random.ts';
import type { Draft, Entry } from './entry.ts';
import { draftText, ENTRY_FRAME_BYTES, parseEntry, readHead, writeEntry } from './entry-text.ts';

function written(draft: Draft, offset = 7): { bytes: Buffer; start: number; end: number } {
  const text = draftText(draft);
  const bytes = Buffer.alloc(ENTRY_FRAME_BYTES + Buffer.byteLength(text) + 100);
  const end = writeEntry(bytes, 50, offset, text);
  return { bytes, start: 54, end };
}

function expectSameHead(draft: Draft): void {
  const { bytes, start, end } = written(draft);
  const { ev, ...entry } = parseEntry(bytes, start, end) as Entry;
  expect(readHead(bytes, start, end)).toEqual({ entry, events: ev?.length ?? 0 });
}

const hashes = (count: number) => Buffer.alloc(16 * count, 0xfb).toString('base64');
const usual = { k: 'batch', t: 1, s: 'ada', p: 'P'.repeat(22), e: 1, f: 3, src: 'a.b' } as const;
const event = (body: Record<string, unknown>) => ({ event: 'save', sentAt: 2, body });

test('the head of a batch is read without its events', () => {
  for (const count of [1, 2, 3, 64]) {
    const ev = Array.from({ length: count }, (_, n) => event({ n }));
    expectSameHead({ ...usual, off: -3, ev, h: hashes(count) });
  }
});

test('what a student wrote does not look like the parts of an entry', () => {
  const like = ['],"h":"AAAA"}', ',"ev":[', '","ev":[{"h":"', ',"k":"batch",', '"}', '\\', 'ä€𝄞'];
  for (const text of like) {
    expectSameHead({
      ...usual,
      ev: [event({ text, [text]: [text], h: 'AAAA', ev: [1, 2, 3] })],
      h: hashes(1),
    });
    expectSameHead({ ...usual, s: text, p: text, src: text, ev: [event({ text })], h: hashes(1) });
    expectSameHead({ ...usual, ev: [event({ list: [text], h: 'AAAA' })] });
    expectSameHead({ k: 'audit', t: 1, s: text, b: { ev: [1], list: [text], h: hashes(1) } });
  }
});

test('an entry of another kind, without hashes or without events is read whole', () => {
  expectSameHead({ ...usual, p: '~server', ev: [event({}), event({})] });
  expectSameHead({ ...usual, n: 3, declined: 'collection-off' });
  expectSameHead({ ...usual, k: 'bad', n: 1, h: hashes(1), v: '1', bad: { code: 'schema', original: '{}' } });
  expectSameHead({ k: 'mark', t: 1, b: { start: '0', ev: [{ k: 'batch' }] } });
  const { h: _h, ...late } = { ...usual, ev: [event({})], h: '' };
  expectSameHead({ h: hashes(1), ...late } as Draft);
});

test('heads agree with whole entries for random bodies', () => {
  const seed = Date.now() % 1_000_000;
  const random = seededRandom(seed);
  const letters = ['"', '\\', ',', ':', '[', ']', '{', '}', 'h', 'e', 'v', 'k', 'ä', '€', '\n', '='];
  const text = () =>
    Array.from({ length: random.below(12) }, () => letters[random.below(letters.length)]).join('');
  for (let i = 0; i < 2_000; i += 1) {
    const ev = Array.from({ length: 1 + random.below(4) }, () =>
      event({ [text()]: [text(), { [text()]: text() }] }),
    );
    try {
      expectSameHead({ ...usual, s: text(), src: text(), ev, h: hashes(ev.length) });
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
