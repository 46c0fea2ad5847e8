import { expect, test } from 'vitest';
import { replay } from '#modules/kit/testing.ts';
import { writer } from '../writer.testing.ts';
import { documentAt, documents } from './documents.ts';

const inTime = (...writers: ReturnType<typeof writer>[]) =>
  writers.flatMap(({ events }) => events).sort((a, b) => a.at - b.at);

test('D1: tags follow the title', () => {
  const first = writer().open(1000, 'Essay #draft #Über-Ich');
  expect(replay(documents, first.events).docs.d1?.tags).toEqual(['draft', 'Über']);
  expect(replay(documents, first.open(2000, 'Essay #final').events).docs.d1?.tags).toEqual(['final']);
});

test('D2: a title that is not told keeps the one known', () => {
  expect(replay(documents, writer().open(1, 'A').open(2, null).events).docs.d1?.title).toBe('A');
});

test('D3: a visit begins when another document comes to the front, not when one is shown or hidden', () => {
  const d1 = writer('d1').key(1000).key(2000).key(5000);
  const d2 = writer('d2').visible(3000, true).key(4000);
  const state = replay(documents, inTime(d1, d2));
  expect(state.visits).toEqual([
    { t: 1000, doc: 'd1' },
    { t: 4000, doc: 'd2' },
    { t: 5000, doc: 'd1' },
  ]);
  expect(documentAt(state, 4500)).toBe('d2');
  expect(documentAt(state, 999)).toBeNull();
});

test('D4: times are compared as numbers', () => {
  const state = replay(documents, inTime(writer('d1').key(9000), writer('d2').key(10_000)));
  expect(documentAt(state, 8000)).toBeNull();
  expect(documentAt(state, 9500)).toBe('d1');
});

test('of more than 200 documents the least recent go, and are counted', () => {
  const many = Array.from({ length: 205 }, (_, i) => writer(`d${i}`).key(i * 1000));
  const state = replay(documents, inTime(...many));
  expect(Object.keys(state.docs)).toHaveLength(200);
  expect(state.docs.d4).toBeUndefined();
  expect(state.dropped).toBe(5);
});

test('keys within a minute change nothing', () => {
  const [first, second] = writer().key(1000).key(30_000).events;
  const once = replay(documents, first ? [first] : []);
  expect(documents.on.key?.(once, second, () => {})).toBe(once);
});

test('a document called like a property of objects is a document', () => {
  const state = replay(documents, writer('constructor').key(1000).events);
  expect(Object.keys(state.docs)).toEqual(['constructor']);
});
