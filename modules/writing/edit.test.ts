import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineEventSource, defineReducer, keyField, scope, student, text } from '#modules/kit/index.ts';
import { event, replay } from '#modules/kit/testing.ts';
import { NEW_CLOCK, tick } from './clock.ts';
import {
  afterOf,
  bodyOf,
  EMPTY_BODY,
  insertAt,
  keepDeletion,
  MOST_CHARACTERS,
  type Recording,
  removeAt,
} from './edit.ts';
import { MAIN_TAB, writing } from './events.ts';
import { documentText, sheetOf } from './reducers/document-text.ts';

const recording = (): Recording => ({ ops: [], deleted: [] });

test('an editor of one reducer is read like any other', () => {
  const editor = defineEventSource({
    name: 'an-editor',
    events: { replaced: z.object({ doc: z.string(), from: z.number(), to: z.number(), put: z.string() }) },
  });
  const editorText = defineReducer({
    name: 'an-editor-text',
    source: editor,
    scope: scope(
      student,
      keyField('doc', (one: { doc: string }) => one.doc),
    ),
    initial: { body: EMPTY_BODY, clock: NEW_CLOCK, deleted: [] as readonly string[] },
    emits: writing,
    on: {
      replaced: (state, { doc, from, to, put, at, sentAt }, emit) => {
        const clock = tick(state.clock, at, sentAt);
        const recording: Recording = { ops: [], deleted: state.deleted };
        const body = insertAt(removeAt(state.body, from, to, recording), from, put, recording);
        emit('edit', { doc, tab: MAIN_TAB, t: clock.t, ops: recording.ops, ...afterOf(body) });
        return { ...state, body, clock, deleted: recording.deleted };
      },
    },
  });
  const who = { student: 'ada', doc: 'd1' };
  const events = [
    event(editor, 'replaced', { ...who, from: 0, to: 0, put: 'Hello you' }),
    event(editor, 'replaced', { ...who, from: 6, to: 9, put: 'World' }),
  ];
  const sheet = sheetOf(replay([editorText, documentText], events).read(documentText, who));
  expect(text.whole(sheet.text)).toBe('Hello World');
  expect(sheet).toMatchObject({ cursor: 11, words: 2, unknown: 0 });
});

test('a text longer than any document is not held, wherever it is said to stand', () => {
  const told = recording();
  expect(insertAt(EMPTY_BODY, MOST_CHARACTERS, 'x', told)).toBe(EMPTY_BODY);
  expect(removeAt(EMPTY_BODY, 0, 1e15, told)).toBe(EMPTY_BODY);
  expect(insertAt(EMPTY_BODY, Number.MAX_SAFE_INTEGER, 'x', told)).toBe(EMPTY_BODY);
  expect(told.ops).toEqual([]);
});

test('removing nothing is nothing', () => {
  const told = recording();
  expect(removeAt(EMPTY_BODY, 0, 0, told)).toBe(EMPTY_BODY);
  expect(told.ops).toEqual([]);
});

test('what an op knows of the text before it ends at a part not seen', () => {
  const told = recording();
  const body = insertAt(EMPTY_BODY, 3, 'seen', told);
  insertAt(body, 7, '!', told);
  expect(told.ops.map((op) => (op.kind === 'ins' ? op.before : ''))).toEqual(['', 'seen']);
});

test('of recent deletions eight are kept, and 8,192 characters in all', () => {
  const long = Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(30, 'x'));
  const kept = long.reduce(keepDeletion, [] as readonly string[]);
  expect(kept).toEqual(long.slice(-8));
  expect(keepDeletion(kept, 'short')).toBe(kept);
  expect(keepDeletion(kept, 'y'.repeat(9000))).toEqual(['y'.repeat(8192)]);
});

test('a text that comes back after its deletion is not new', () => {
  const sentence = 'The river is low enough to walk to the island today.';
  const told = recording();
  const body = insertAt(EMPTY_BODY, 0, sentence, told);
  insertAt(removeAt(body, 0, sentence.length, told), 0, sentence, told);
  expect(told.ops).toMatchObject([{ novelty: 1 }, { kind: 'del' }, { novelty: 0 }]);
});

test('a loaded body counts what it holds', () => {
  expect(bodyOf('two words')).toMatchObject({ words: 2, cursor: 9, given: 9, gap: 0 });
});
