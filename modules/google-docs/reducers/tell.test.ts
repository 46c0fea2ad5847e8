import { expect, test } from 'vitest';
import type { Envelope } from '#modules/kit/index.ts';
import { text } from '#modules/kit/index.ts';
import { event, replay } from '#modules/kit/testing.ts';
import { documentText, sheetOf } from '#modules/writing/reducers/document-text.ts';
import { documents } from '#modules/writing/reducers/documents.ts';
import { growth } from '#modules/writing/reducers/growth.ts';
import { pastes } from '#modules/writing/reducers/pastes.ts';
import { pulse } from '#modules/writing/reducers/pulse.ts';
import { timeOnTask } from '#modules/writing/reducers/time-on-task.ts';
import { type Command, googleDocs } from '../events.ts';
import { docText } from './doc-text.ts';
import { eventCount } from './event-count.ts';
import { tabs } from './tabs.ts';

const who = { student: 'ada', doc_id: 'd1' };
const save = (at: number, ...commands: Command[]) =>
  event(googleDocs, 'google_docs_save', { ...who, at, bundles: [{ commands }] });
const is = (ibi: number, s: string): Command => ({ ty: 'is', ibi, s });
const press = (at: number, key: string, timeStamp: number, more = {}) =>
  event(googleDocs, 'keystroke', {
    ...who,
    at,
    object: {},
    keystroke: { type: 'keydown', key, timeStamp, ...more },
  });

const LISTENERS = [docText, documentText, documents, growth, pastes, pulse, timeOnTask];
const told = (...events: Envelope[]) =>
  replay(LISTENERS, events).heard.filter(({ source }) => source === 'writing');
const short = (events: readonly Envelope[]) =>
  events.map((one) =>
    'class' in one ? `${one.event} ${one.class}` : 'what' in one ? `${one.event} ${one.what}` : one.event,
  );

test('a save is told as one edit with its ops, and the text after them', () => {
  const [open, edit] = told(save(5, is(1, 'It was late. '), { ty: 'ds', si: 1, ei: 2 }));
  expect(open).toMatchObject({ event: 'open', doc: 'd1', tab: 't.0', title: null, t: 5 });
  expect(edit).toMatchObject({
    event: 'edit',
    t: 5,
    length: 11,
    words: 2,
    unknown: 0,
    cursor: 0,
    ops: [
      { kind: 'ins', pos: 0, text: 'It was late. ', before: '' },
      { kind: 'del', pos: 0, text: 'It', unknown: 0 },
    ],
  });
});

test('an op knows at most 16 characters before it, and how new it is from 20 characters on', () => {
  const ops = told(save(0, is(1, 'one two three four five six seven'), is(34, ' x'))).flatMap((one) =>
    'ops' in one ? one.ops : [],
  );
  expect(ops).toMatchObject([{ novelty: 1 }, { before: 'our five six seven'.slice(-16) }]);
  expect(ops[1]).not.toHaveProperty('novelty');
});

test('characters not seen are neither words nor deleted text', () => {
  const [, edit] = told(save(0, is(5, 'abc'), { ty: 'ds', si: 1, ei: 5 }));
  expect(edit).toMatchObject({ unknown: 0, words: 1, length: 2, ops: [{}, { text: 'a', unknown: 4 }] });
});

test('a history is a load and not an edit; the same history says nothing', () => {
  const history = (at: number) =>
    event(googleDocs, 'document_history', {
      ...who,
      at,
      object: {},
      history: { changelog: [[is(1, 'given'), 0]] },
    });
  expect(short(told(history(1), history(2)))).toEqual(['open', 'load']);
  const states = replay(LISTENERS, [history(1)]);
  expect(states.read(pastes, { student: 'ada', doc: 'd1' })).toMatchObject({ typed: 0, pasted: 0 });
  expect(states.read(pulse, { student: 'ada' }).startedAt).toBeNull();
});

test('tabs are told apart', () => {
  const nm: Command = { ty: 'nm', nmr: ['t.b'], nmc: is(1, 'beside') };
  const states = replay(LISTENERS, [save(1, is(1, 'main'), nm, is(5, '!'))]);
  const sheets = states.read(documentText, { student: 'ada', doc: 'd1' });
  expect(text.whole(sheetOf(sheets, 't.0').text)).toBe('main!');
  expect(text.whole(sheetOf(sheets, 't.b').text)).toBe('beside');
  const opened = states.heard.filter((one) => one.event === 'open');
  expect(opened).toMatchObject([{ tab: 't.0' }, { tab: 't.b' }]);
});

test('ops in more parts than can be told become one load with the end', () => {
  const many = Array.from({ length: 100 }, (_, i): Command[] => [
    is(1, `${i % 10}`),
    { ty: 'rvrt', snapshot: [is(1, `v${i}`)] },
  ]);
  const events = told(save(1, ...many.flat()));
  expect(events.length).toBeLessThan(100);
  const states = replay(LISTENERS, [save(1, ...many.flat())]);
  expect(text.whole(sheetOf(states.read(documentText, { student: 'ada', doc: 'd1' })).text)).toBe('v99');
});

test('a key is told once, however often its page reports it', () => {
  const three = [press(1, 'a', 7), press(1, 'a', 7), press(2, 'a', 7), press(3, 'a', 8)];
  expect(short(told(...three))).toEqual(['open', 'key printing', 'key printing']);
});

test('a key older than the last 16 is told again', () => {
  const keys = Array.from({ length: 17 }, (_, i) => press(i, 'a', i));
  expect(told(...keys, press(20, 'a', 0)).filter(({ event }) => event === 'key')).toHaveLength(18);
});

test('only the press of a key is told, and shortcuts as hints', () => {
  const up = press(2, 'b', 3, { type: 'keyup' });
  expect(short(told(press(1, 'v', 1, { ctrlKey: true }), up, press(3, 'z', 4, { metaKey: true })))).toEqual([
    'open',
    'key other',
    'hint paste-key',
    'key other',
    'hint undo',
  ]);
});

test.each(['Paste\nCtrl+V', 'Einfügen\nStrg+V', 'Coller ⌘V'])(
  'the entry %j of a menu is a hint at a paste',
  (label) => {
    const mouseclick = { type: 'click', 'target.className': 'goog-menuitem', 'target.innerText': label };
    const events = told(event(googleDocs, 'mouseclick', { ...who, object: {}, mouseclick }));
    expect(short(events)).toEqual(['open', 'attention', 'hint paste-menu']);
  },
);

test('visibility alternates from visible on, and whoever types is visible', () => {
  const change = (at: number) =>
    event(googleDocs, 'visibility', { ...who, at, object: {}, visibility: { type: 'visibilitychange' } });
  const loaded = event(googleDocs, 'document_loaded', { ...who, at: 0, object: {} });
  const seen = told(loaded, change(1), change(2), change(3), press(4, 'a', 1), change(5));
  expect(seen.flatMap((one) => ('visible' in one ? [one.visible] : []))).toEqual([false, true, false, false]);
});

test('a title is told when it is new, and not again', () => {
  const loaded = (at: number, title: string | null) =>
    event(googleDocs, 'document_loaded', { ...who, at, object: { title } });
  const events = told(loaded(1, 'A'), loaded(2, 'A'), loaded(3, null), save(4, is(1, 'x')), loaded(5, 'B'));
  expect(events.flatMap((one) => (one.event === 'open' && 'title' in one ? [one.title] : []))).toEqual([
    'A',
    'B',
  ]);
});

test('D5: titles of tabs are found at any depth', () => {
  const ucp = (title: string): Command => ({ ty: 'ucp', d: ['t.abc', [null, [null, title]]] });
  const first = [save(1, { ty: 'mkch', d: [[null, 'Tab 1']] }), save(2, ucp('Renamed'))];
  expect(replay(tabs, first).tabs).toMatchObject({
    't.0': { title: 'Tab 1' },
    't.abc': { title: 'Renamed' },
  });
  const nested: Command = { ty: 'mlti', mts: [{ ty: 'nm', nmr: ['t.abc'], nmc: ucp('B') }] };
  expect(replay(tabs, [...first, save(3, nested)]).tabs['t.abc']?.title).toBe('B');
});

test('D6: every event counts, by name', () => {
  const events = Array.from({ length: 804 }, (_, i) =>
    i % 4 === 0 ? save(i, is(1, 'a')) : press(i, 'a', i),
  );
  expect(replay(eventCount, events)).toEqual({
    count: 804,
    first: 0,
    last: 803,
    byEvent: { google_docs_save: 201, keystroke: 603 },
  });
});

test('of a document 128 tabs are kept; what is written into more is counted and not told', () => {
  const into = (i: number): Command => ({ ty: 'nm', nmr: [`t.x${i}`], nmc: is(1, `text ${i}`) });
  const events = Array.from({ length: 130 }, (_, i) => save(i, into(i)));
  const states = replay(LISTENERS, [...events, save(200, into(0))]);
  const { tabs: kept, counts } = states.read(docText, { student: 'ada', doc: 'd1' });
  expect(Object.keys(kept)).toHaveLength(128);
  expect(counts.skipped).toBe(2);
  const edited = states.heard.flatMap((one) => (one.event === 'edit' && 'tab' in one ? [one.tab] : []));
  expect(edited).toHaveLength(129);
  expect(edited).not.toContain('t.x129');
});
