import { describe, expect, test } from 'vitest';
import { text } from '#modules/kit/index.ts';
import { event, replay } from '#modules/kit/testing.ts';
import { readable } from '#modules/writing/readable.ts';
import { type Command, googleDocs } from '../events.ts';
import { docText } from './doc-text.ts';

const is = (ibi: unknown, s: unknown): Command => ({ ty: 'is', ibi, s });
const ds = (si: unknown, ei: unknown): Command => ({ ty: 'ds', si, ei });
const mlti = (...mts: Command[]): Command => ({ ty: 'mlti', mts });
const rplc = (...snapshot: Command[]): Command => ({ ty: 'rplc', snapshot });
const rvrt = (...snapshot: Command[]): Command => ({ ty: 'rvrt', snapshot });
const nm = (nmc: Command, nmr: readonly string[]): Command => ({ ty: 'nm', nmc, nmr });

const save = (...commands: Command[]) =>
  event(googleDocs, 'google_docs_save', { student: 'ada', doc_id: 'd1', bundles: [{ commands }] });
const history = (...commands: Command[]) =>
  event(googleDocs, 'document_history', {
    student: 'ada',
    doc_id: 'd1',
    object: {},
    history: { changelog: commands.map((command) => [command, 0, 'user', '1', 'sid']) },
  });

/** What a vector looks at; a gap is written as `·`. */
function shown(events: Parameters<typeof replay>[1]) {
  const { main, tabs, counts } = replay(docText, events);
  const drawn = (body: typeof main) => text.whole(body.text).replaceAll('\uFDD0', '·');
  return {
    text: drawn(main),
    cursor: main.cursor,
    given: main.given,
    unknown: main.gap,
    tabs: Object.fromEntries(Object.entries(tabs).map(([tab, body]) => [tab, [drawn(body), body.cursor]])),
    counts,
  };
}

const T1 = save(is(1, 'Hello'), is(6, ' World'));
const T13 = save(is(1, 'main'), nm(is(1, 'tabtext'), ['t.abc']));
const T24 = save(is(1, 'abc'), is(6, 'z'), is(4, 'de'));

type Vector = readonly [name: string, events: Parameters<typeof replay>[1], expected: object];
const VECTORS: readonly Vector[] = [
  ['T1', [T1], { text: 'Hello World', cursor: 11 }],
  ['T2', [save(is(1, 'Hello World'), ds(1, 6))], { text: 'World', cursor: 0 }],
  ['T3', [save(is(10, 'a'))], { text: '·········a', cursor: 10 }],
  ['T4', [save(ds(3, 4))], { text: '··', cursor: 2 }],
  ['T5', [save(is(1, 'abc'), ds(10, 12))], { text: 'abc······', cursor: 9 }],
  ['T6', [save(mlti(is(1, 'ab'), ds(1, 1), is(2, 'c')))], { text: 'bc', cursor: 2 }],
  ['T7', [save(is(1, 'abcdef'), rplc({ ...is(1, 'XY'), sl: 2 }))], { text: 'XYcdef', cursor: 6 }],
  ['T8', [save(rplc(is(1, 'Template text')))], { text: 'Template text', given: 13, cursor: 0 }],
  ['T9', [save(is(1, 'abcdef'), rvrt(is(1, 'ab')))], { text: 'ab', cursor: 2 }],
  ['T10', [save(is(1, 'abcdef'), rvrt(is(1, 'ab'), is(3, 'cd')))], { text: 'abcd', cursor: 4 }],
  ['T11', [save(is(1, 'abcdef'), rvrt(is(3, 'X')))], { text: 'abX', cursor: 3 }],
  [
    'T12',
    [save(is(1, 'abcdef'), rvrt({ ty: 'as' }))],
    { text: 'abcdef', cursor: 6, counts: { uncertain: 1 } },
  ],
  ['T13', [T13], { text: 'main', cursor: 4, tabs: { 't.abc': ['tabtext', 7] } }],
  ['T14', [save(nm(is(1, 'x'), ['t.a', 'q', 't.b']))], { text: '', cursor: 0, tabs: { 't.b': ['x', 1] } }],
  ['T15', [save(is(1, 'main'), nm(is(1, 'x'), ['t.0']))], { text: 'xmain', cursor: 1, tabs: {} }],
  ['T16', [save(is(1, '😀'), is(3, 'b'))], { text: '😀b', cursor: 3 }],
  ['T17', [save(is(1, 'a😀b'), ds(2, 3))], { text: 'ab', cursor: 1 }],
  ['T18', [save(is(1, 'abc'), { ty: 'as', fm: { x: 1 } }, is(4, 'd'))], { text: 'abcd', cursor: 4 }],
  [
    'T19',
    [save(is(1, 'abc'), { ty: 'iss', ibi: 1, s: 'sug' }, { ty: 'dss', si: 1, ei: 2 })],
    { text: 'abc', cursor: 3, counts: { suggested: { ins: 3, del: 2 } } },
  ],
  ['T20', [save(is(1, 'abc'), { ty: 'zzz' })], { text: 'abc', cursor: 3, counts: { unknown: { zzz: 1 } } }],
  ['T21', [save(is(1, 'abcdef'), ds(5, 2))], { text: 'abcdef', cursor: 6, counts: { skipped: 1 } }],
  ['T22', [save(is(1, 'abc'), is(0, 'x'))], { text: 'abc', cursor: 3, counts: { skipped: 1 } }],
  ['T23', [save(is(1, 'a\0b'))], { text: 'a\uFFFDb', cursor: 3 }],
  ['T24', [T24], { text: 'abcde··z', cursor: 5, unknown: 2 }],
  ['T25', [save(is(1, 'abc'), is(2, ''))], { text: 'abc', cursor: 1 }],
  ['T26', [save(is(1, 'abcdef'), rplc(is(5, 'XYZ')))], { text: 'abcdXYZ', cursor: 6 }],
  ['T27', [save(is(1, 'abcdef'), rplc({ ...is(3, 'X'), sl: 3 }))], { text: 'abXf', cursor: 4 }],
  ['T28', [T13, history(is(1, 'main2'))], { text: 'main2', cursor: 5, tabs: { 't.abc': ['tabtext', 7] } }],
  [
    'T29',
    [T24, history(is(1, 'abcdeXXz'))],
    { text: 'abcdeXXz', cursor: 8, unknown: 0, counts: { healed: 1 } },
  ],
];

describe('commands of the editor become the text', () => {
  test.each(VECTORS)('%s', (_name, events, expected) => {
    expect(shown(events)).toMatchObject(expected);
  });
});

test('a bad command costs itself and not its event', () => {
  const bad = [
    is('1', 'x'),
    is(1.5, 'x'),
    is(1, 7),
    is(3e9, 'x'),
    ds(1, null),
    { ty: 'mlti' },
    { ty: 'nm', nmc: 1 },
  ];
  expect(shown([save(is(1, 'a'), ...bad, is(2, 'b'))])).toMatchObject({ text: 'ab', counts: { skipped: 7 } });
});

test('groups of commands are opened to a depth of 32', () => {
  const nested = (depth: number): Command => (depth === 0 ? is(1, 'x') : mlti(nested(depth - 1)));
  expect(shown([save(nested(32))]).text).toBe('x');
  expect(shown([save(nested(33))])).toMatchObject({ text: '', counts: { skipped: 1 } });
});

test('names of unknown commands are counted up to 32, then together', () => {
  const many = Array.from({ length: 40 }, (_, i) => ({ ty: `z${i}` }));
  const { unknown } = shown([save(...many, { ty: '__proto__' })]).counts;
  expect(Object.keys(unknown)).toHaveLength(33);
  expect(unknown.other).toBe(9);
});

test('a history that says nothing new changes nothing', () => {
  const again = replay([docText], [T1, history(is(1, 'Hello World')), history(is(1, 'Hello World'))]);
  expect(again.heard.filter((heard) => heard.event === 'document_history')).toHaveLength(2);
  expect(shown([T1, history(is(1, 'Hello World'))]).counts.healed).toBe(0);
});

test('characters of the first load were given, those of a later one were not', () => {
  expect(shown([history(is(1, 'given')), save(is(6, ' mine'))]).given).toBe(5);
  expect(shown([save(is(1, 'mine')), history(is(1, 'mine too'))]).given).toBe(0);
});

test('a text for people holds no character that stands for a gap', () => {
  const { main } = replay(docText, [T24]);
  expect(readable(text.whole(main.text))).toBe('abcde…z');
});
