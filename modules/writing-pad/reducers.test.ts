import fc from 'fast-check';
import { expect, test } from 'vitest';
import { text } from '#modules/kit/index.ts';
import { event, replay } from '#modules/kit/testing.ts';
import { type Change, writingPad } from './events.ts';
import { padText } from './reducers.ts';

const edited = (changes: Change[], length: number, at = 1000) =>
  event(writingPad, 'edited', { student: 'ada', at, doc: 'd1', changes, length });
const wholeAfter = (...events: ReturnType<typeof edited>[]) => text.whole(replay(padText, events).body.text);

test('changes are folded in order into the text that the page shows', () => {
  expect(
    wholeAfter(
      edited([[0, 0, 'Hello world']], 11),
      edited([[0, 5, 'Goodbye']], 13),
      edited([[13, 0, '!']], 14),
    ),
  ).toBe('Goodbye world!');
});

test('words and length are those of the text after the change', () => {
  const { body } = replay(padText, [edited([[0, 0, 'one two']], 7), edited([[3, 0, ' and a half']], 18)]);
  expect(body.words).toBe(5);
  expect(text.length(body.text)).toBe(18);
});

test('a length that does not fit is counted, and what lies before a far position is kept as not seen', () => {
  const state = replay(padText, [
    edited([[0, 0, 'abc']], 3),
    edited([[6, 0, 'xyz']], 9),
    edited([[0, 0, 'q']], 99),
  ]);
  expect(state.missed).toBe(1);
  expect(state.body.gap).toBe(3);
});

test('a title holds until another one comes, and opening without one keeps it', () => {
  const named = (name: 'opened' | 'titled', title: string | null) =>
    name === 'opened'
      ? event(writingPad, 'opened', { student: 'ada', at: 1, doc: 'd1', title })
      : event(writingPad, 'titled', { student: 'ada', at: 1, doc: 'd1', title: title ?? '' });
  expect(replay(padText, [named('opened', null), named('titled', 'Rain'), named('opened', null)]).title).toBe(
    'Rain',
  );
});

test('whatever is typed and cut, the fold is the text', () => {
  const op = fc.record({
    pos: fc.nat(100),
    cut: fc.nat(4),
    put: fc.string({ unit: fc.constantFrom('a', ' ', '\n', '😀', 'é'), maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.array(op, { maxLength: 30 }), (ops) => {
      let plain = '';
      const events = ops.flatMap(({ pos, cut, put }) => {
        const at = Math.min(pos, plain.length);
        const gone = Math.min(cut, plain.length - at);
        if (gone === 0 && put === '') return [];
        plain = plain.slice(0, at) + put + plain.slice(at + gone);
        return [edited([[at, gone, put]], plain.length)];
      });
      if (events.length === 0) return;
      const state = replay(padText, events);
      expect(text.whole(state.body.text)).toBe(plain);
      expect(state.missed).toBe(0);
    }),
  );
});
