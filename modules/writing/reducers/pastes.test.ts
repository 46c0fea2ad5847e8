import { expect, test } from 'vitest';
import { replay } from '#modules/kit/testing.ts';
import { writer } from '../writer.testing.ts';
import { isLargePaste, pastes } from './pastes.ts';

/** Words that no other text holds. */
const fresh = (characters: number, from = 0) =>
  Array.from({ length: characters }, (_, i) => `w${from + i}x`)
    .join(' ')
    .slice(0, characters);

const FAR = 10_000;
/** Types a text, key by key, before anything else happens. */
function typed(value: string) {
  const ada = writer();
  [...value].forEach((character, i) => {
    ada.key(i).ins(i, i, character);
  });
  return ada;
}

const seen = (ada: ReturnType<typeof writer>) => replay(pastes, ada.events);

test('X1: a paste that repeats a part of the text is mixed', () => {
  const given = 'the cat sat on the mat and slept';
  const ada = typed(given)
    .hint(FAR, 'paste-key')
    .ins(FAR + 300, given.length, 'the cat sat on the mat today');
  expect(seen(ada).list).toMatchObject([{ class: 'mixed', novelty: 0.333, sure: true, n: 28 }]);
});

test('X2, M1: text that comes back was moved: neither deleted nor pasted, and no flag', () => {
  const moved = 'Dogs bark at the bright moon. ';
  const ada = writer().key(0).ins(0, 0, moved.slice(0, 15)).ins(1, 15, moved.slice(15));
  ada.ins(2000, 30, 'Cats sleep.').del(5000, 0, 30).hint(7900, 'paste-key').ins(8000, 11, moved);
  const state = seen(ada);
  expect(state.list).toMatchObject([{ class: 'moved', novelty: 0 }]);
  expect(state).toMatchObject({ typed: 41, deleted: 0, moved: 30, pasted: 0 });
  expect(state.list.filter((paste) => isLargePaste(paste, 20))).toEqual([]);
});

test('X3: without keys, speed tells typing from a paste', () => {
  const slow = writer().ins(0, 0, 'My essay. ').ins(6000, 10, fresh(40));
  expect(seen(slow)).toMatchObject({ typed: 50, list: [] });
  const pasted = writer().ins(0, 0, 'My essay. ').hint(5900, 'paste-key').ins(6000, 10, fresh(40));
  expect(seen(pasted).list).toMatchObject([{ class: 'new', n: 40 }]);
  expect(seen(pasted).list.filter((paste) => isLargePaste(paste, 200))).toEqual([]);
});

test('X4: with keys, their number tells', () => {
  const after = (keys: number) => {
    const ada = writer().ins(0, 0, 'a');
    for (let i = 0; i < keys; i += 1) ada.key(100 + i);
    return seen(ada.ins(400, 1, fresh(60)));
  };
  expect(after(55).list).toEqual([]);
  expect(after(40).list).toMatchObject([{ sure: false }]);
});

test('X5: what undo brings back is no paste', () => {
  expect(seen(writer().hint(0, 'undo').ins(200, 0, fresh(120)))).toMatchObject({
    list: [],
    pasted: 0,
    typed: 0,
  });
});

test('X6: a large paste is flagged only where it is more than 40 % of all that was added', () => {
  const after = (own: number) => {
    const ada = typed('x'.repeat(own))
      .hint(FAR, 'paste-key')
      .ins(FAR + 300, own, ` ${fresh(249)}`);
    return seen(ada).list.map((paste) => [paste.share, isLargePaste(paste, 200)]);
  };
  expect(after(300)).toEqual([[0.455, true]]);
  expect(after(400)).toEqual([[0.385, false]]);
});

test('X7: an inferred paste far from any key may be a voice: no flag', () => {
  const ada = writer()
    .key(0)
    .ins(0, 0, 'a')
    .ins(30_000, 1, ` ${fresh(139)}`);
  const { list } = seen(ada);
  expect(list).toMatchObject([{ class: 'unkeyed', n: 140 }]);
  expect(list.filter((paste) => isLargePaste(paste, 20))).toEqual([]);
});

test('X8: what stands in quotation marks is a quote: no flag', () => {
  const ada = writer()
    .key(0)
    .hint(0, 'paste-key')
    .ins(100, 0, `“${fresh(90)}”`);
  const { list } = seen(ada);
  expect(list).toMatchObject([{ class: 'quote' }]);
  expect(list.filter((paste) => isLargePaste(paste, 20))).toEqual([]);
});

test('one paste key stands for one paste', () => {
  const ada = writer().key(0).hint(0, 'paste-key').ins(100, 0, fresh(40)).ins(200, 40, fresh(40, 900));
  expect(seen(ada).list.map(({ sure }) => sure)).toEqual([true, false]);
});

test('a word that is put right at once is no paste', () => {
  const ada = writer()
    .key(0)
    .ins(0, 0, 'incomprehensi')
    .ins(0, 13, 'bilitys')
    .del(9000, 0, 20)
    .ins(9040, 0, 'incomprehensibilities');
  expect(seen(ada).list).toEqual([]);
});

test('no pasted word is kept, and no more than 20 pastes', () => {
  const ada = writer();
  for (let i = 0; i < 30; i += 1)
    ada.hint(i * 9000, 'paste-key').ins(i * 9000 + 1, 0, `secretive ${fresh(60, i * 100)}`);
  const state = seen(ada);
  expect(state.list).toHaveLength(20);
  expect(state.count).toBe(30);
  expect(JSON.stringify(state)).not.toContain('secretive');
  expect(JSON.stringify(state).length).toBeLessThan(14 * 1024);
});
