import { expect, test } from 'vitest';
import { googleDocs } from './events.ts';
import { keyClassOf } from './key-class.ts';

type Name = keyof (typeof googleDocs)['events'];

/** What is archived of a body, as an edge reads it. */
const archived = (name: Name, body: Record<string, unknown>): unknown =>
  googleDocs.events[name].parse(googleDocs.before?.(name, body) ?? body);

function pathOf(name: Name, body: Record<string, unknown>): string | undefined {
  return googleDocs.events[name].safeParse(body).error?.issues[0]?.path.join('.');
}

const OBJECT = {
  type: 'http://schema.learning-observer.org/writing-observer/',
  title: 'My essay',
  id: 'd1',
  tab_id: null,
  url: 'https://docs.google.com/document/d/d1/edit?token=secret&tab=t.0#heading=h.1',
};
const SAVE = {
  doc_id: 'd1',
  tab_id: 't.95y',
  url: 'https://docs.google.com/document/d/d1/save?id=d1&sid=secret&token=secret&tab=t.95y',
  bundles: [{ commands: [{ ty: 'is', ibi: 12, s: 'a' }], sid: 'secret', reqId: 3 }],
  rev: ['27'],
  timestamp: 1719900000000,
  metadata: { iso_ts: '2026-11-20T18:36:56.158Z' },
};

test('of a save its commands are kept whole, of its address place and tab', () => {
  expect(archived('google_docs_save', SAVE)).toEqual({
    doc_id: 'd1',
    tab_id: 't.95y',
    url: 'https://docs.google.com/document/d/d1/save?tab=t.95y',
    bundles: [{ commands: [{ ty: 'is', ibi: 12, s: 'a' }] }],
    rev: ['27'],
    timestamp: 1719900000000,
  });
});

test('no token, session, key or foreign text is archived', () => {
  const key = {
    type: 'keydown',
    key: 'q',
    code: 'KeyQ',
    keyCode: 81,
    which: 81,
    charCode: 113,
    timeStamp: 812.4,
  };
  const target = { 'target.className': 'kix-page', 'target.innerText': 'secret essay' };
  const page = {
    'target.location': { href: 'https://x.org/?token=secret', search: '?token=secret', hash: '#secret' },
  };
  const bodies: [Name, Record<string, unknown>][] = [
    ['google_docs_save', SAVE],
    ['google_docs_save_extra', { ...SAVE, formdata: { at: 'https://x.org/a?token=secret' } }],
    ['keystroke', { object: OBJECT, keystroke: { ...key, ...target } }],
    ['mouseclick', { object: OBJECT, mouseclick: { type: 'click', timeStamp: 1, ...target } }],
    ['visibility', { object: OBJECT, visibility: { type: 'visibilitychange', timeStamp: 1, ...page } }],
    ['attention', { object: OBJECT, attention: { type: 'focusin', timeStamp: 1, ...target } }],
    ['document_loaded', { object: OBJECT, partial_text: 'secret essay' }],
    ['extension_loaded', { version: '1', page: { url: 'https://x.org/?token=secret' } }],
  ];
  for (const [name, body] of bodies) {
    expect(JSON.stringify(archived(name, body)), name).not.toMatch(/secret|KeyQ|"q"|\b81\b|\b113\b/);
  }
});

test('what is archived reads as itself again', () => {
  const pressed = { object: OBJECT, keystroke: { type: 'keydown', key: 'v', ctrlKey: true, timeStamp: 5 } };
  const menu = {
    type: 'click',
    timeStamp: 1,
    'target.className': 'goog-menuitem-content',
    'target.innerText': 'Paste',
  };
  const bodies: [Name, Record<string, unknown>][] = [
    ['google_docs_save', SAVE],
    ['keystroke', pressed],
    ['mouseclick', { object: OBJECT, mouseclick: menu }],
    ['visibility', { object: {}, visibility: { type: 'visibilitychange' } }],
  ];
  for (const [name, body] of bodies) {
    const once = archived(name, body);
    expect(googleDocs.events[name].parse(once), name).toEqual(once);
  }
  expect(archived('keystroke', pressed)).toMatchObject({ keystroke: { class: 'shortcut:v' } });
  expect(archived('mouseclick', { object: OBJECT, mouseclick: menu })).toMatchObject({
    mouseclick: { 'target.innerText': 'Paste' },
  });
});

test('a label is kept of a menu only, and only if it is short', () => {
  const click = (className: string, innerText: string) =>
    archived('mouseclick', {
      object: {},
      mouseclick: { 'target.className': className, 'target.innerText': innerText },
    });
  expect(JSON.stringify(click('goog-menuitem', 'x'.repeat(81)))).not.toContain('x');
  expect(JSON.stringify(click('kix-line', 'Paste'))).not.toContain('Paste');
});

test.each([
  ['bundles', { doc_id: 'd1' }],
  ['bundles', { doc_id: 'd1', bundles: {} }],
  ['bundles.1.commands', { doc_id: 'd1', bundles: [{ commands: [] }, {}] }],
  ['bundles.0.commands', { doc_id: 'd1', bundles: [{ commands: 'is' }] }],
  ['bundles.0.commands', { doc_id: 'd1', bundles: [null] }],
  ['bundles.0.commands.1.ty', { doc_id: 'd1', bundles: [{ commands: [{ ty: 'is' }, { ty: 7 }] }] }],
  ['bundles.0.commands.0.ty', { doc_id: 'd1', bundles: [{ commands: [null] }] }],
  ['doc_id', { bundles: [] }],
  ['doc_id', { doc_id: 7, bundles: [] }],
  ['url', { doc_id: 'd1', bundles: [], url: 7 }],
  ['rev', { doc_id: 'd1', bundles: [], rev: {} }],
  ['rev', { doc_id: 'd1', bundles: [], rev: ['27', null] }],
  ['rev', { doc_id: 'd1', bundles: [], rev: ['x'.repeat(65)] }],
  ['timestamp', { doc_id: 'd1', bundles: [], timestamp: true }],
  ['timestamp', { doc_id: 'd1', bundles: [], timestamp: Number.POSITIVE_INFINITY }],
])('a save that is wrong at %s is refused with that path', (path, body) => {
  expect(pathOf('google_docs_save', body)).toBe(path);
});

test.each([{}, { rev: null }, { rev: 27 }, { rev: [27, '28'] }, { timestamp: '1719900000000' }])(
  'a save may come with %j',
  (more) => {
    const body = { doc_id: 'd1', bundles: [], ...more };
    expect(archived('google_docs_save', body)).toEqual(body);
  },
);

test('a history that is no list of changes is refused with its path', () => {
  const body = (changelog: unknown) => ({ object: {}, history: { changelog } });
  expect(pathOf('document_history', body([[{ ty: 'is' }], [{}]]))).toBe('history.changelog.1.0');
  expect(pathOf('document_history', body('all'))).toBe('history.changelog');
  expect(pathOf('document_history', { object: {} })).toBe('history');
});

test('names with a dash are read with an underscore', () => {
  expect(googleDocs.before?.('debug', { 'wa-source': 'page', 'my-own': 1 })).toEqual({
    wa_source: 'page',
    'my-own': 1,
  });
});

test.each([
  ['https://docs.google.com/document/d/abc-1_X/edit', 'abc-1_X'],
  ['https://docs.google.com/document/u/0/d/abc/edit?tab=t.0', 'abc'],
  ['https://docs.google.com/document/u/12/d/abc/edit', 'abc'],
  ['https://docs.google.com/spreadsheets/d/abc/edit', undefined],
  ['https://evil.example/https://docs.google.com/document/d/abc/edit', undefined],
])('the document of %s is %s', (url, id) => {
  expect(googleDocs.before?.('keystroke', { object: { url } }).doc_id).toBe(id);
});

test('an address does not replace the id that was sent', () => {
  expect(googleDocs.before?.('keystroke', { doc_id: 'mine', object: OBJECT }).doc_id).toBe('mine');
});

test.each([
  [{ key: 'a' }, 'letter'],
  [{ key: 'Ü' }, 'letter'],
  [{ key: '7' }, 'digit'],
  [{ key: '“' }, 'punctuation'],
  [{ key: ' ' }, 'space'],
  [{ key: 'Enter' }, 'enter'],
  [{ key: 'Backspace' }, 'erase'],
  [{ key: 'PageUp' }, 'move'],
  [{ key: 'V', metaKey: true }, 'shortcut:v'],
  [{ key: 'b', ctrlKey: true }, 'other'],
  [{ key: '@', ctrlKey: true, altKey: true }, 'punctuation'],
  [{ key: 'Shift' }, 'modifier'],
  [{ key: 'F5' }, 'other'],
  [{ key: 'constructor' }, 'other'],
  [{ key: 'Process' }, 'letter'],
  [{ keyCode: 65 }, 'letter'],
  [{ keyCode: 90, ctrlKey: true }, 'shortcut:z'],
  [{}, 'other'],
])('the key %j is of the class %s', (pressed, kind) => {
  expect(keyClassOf(pressed)).toBe(kind);
});
