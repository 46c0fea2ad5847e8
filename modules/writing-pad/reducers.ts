import { defineReducer, type Emit, scope, student, text } from '#modules/kit/index.ts';
import { type Clock, NEW_CLOCK, tick } from '#modules/writing/clock.ts';
import { afterOf, type Body, EMPTY_BODY, insertAt, type Recording, removeAt } from '#modules/writing/edit.ts';
import { MAIN_TAB, writing } from '#modules/writing/events.ts';
import { type Change, padDoc, writingPad } from './events.ts';

/** `missed`: how often the length that the page told was not the folded one; then something of the text was not seen. */
type PadText = {
  readonly body: Body;
  readonly title: string | null;
  readonly deleted: readonly string[];
  readonly clock: Clock;
  readonly missed: number;
  readonly isOpen: boolean;
};

const NEW_PAD_TEXT: PadText = {
  body: EMPTY_BODY,
  title: null,
  deleted: [],
  clock: NEW_CLOCK,
  missed: 0,
  isOpen: false,
};

type Pad = { readonly doc: string; readonly at: number; readonly sentAt?: number };

/** Folds the writing page's changes into its text, and tells them as `writing` events. */
export const padText = defineReducer({
  name: 'pad-text',
  version: 2,
  source: writingPad,
  scope: scope(student, padDoc),
  initial: NEW_PAD_TEXT,
  emits: writing,
  on: {
    opened: (state, event, emit) => named(state, event, event.title, emit),
    titled: (state, event, emit) => named(state, event, event.title, emit),
    edited: (state, event, emit) => {
      const opened = state.isOpen ? timed(state, event) : named(state, event, null, emit);
      const recording: Recording = { ops: [], deleted: opened.deleted };
      const body = event.changes.reduce((now, change) => changed(now, change, recording), opened.body);
      emit('edit', {
        doc: event.doc,
        tab: MAIN_TAB,
        t: opened.clock.t,
        ops: recording.ops,
        ...afterOf(body),
      });
      const missed = opened.missed + (text.length(body.text) === event.length ? 0 : 1);
      return { ...opened, body, deleted: recording.deleted, missed };
    },
    hinted: (state, event, emit) => {
      const next = timed(state, event);
      emit('hint', { doc: event.doc, t: next.clock.t, what: event.what });
      return next;
    },
    moved: (state, event, emit) => {
      const next = timed(state, event);
      emit('key', { doc: event.doc, tab: MAIN_TAB, t: next.clock.t, class: 'move' });
      return next;
    },
    focused: (state, event, emit) => {
      const next = timed(state, event);
      emit('attention', {
        doc: event.doc,
        tab: MAIN_TAB,
        t: next.clock.t,
        kind: event.focused ? 'focus' : 'blur',
      });
      return next;
    },
    visibility: (state, event, emit) => {
      const next = timed(state, event);
      emit('visibility', { doc: event.doc, tab: MAIN_TAB, t: next.clock.t, visible: event.visible });
      return next;
    },
  },
});

function timed(state: PadText, { at, sentAt }: Pad): PadText {
  return { ...state, clock: tick(state.clock, at, sentAt) };
}

function named(
  state: PadText,
  event: Pad,
  title: string | null,
  emit: Emit<typeof writing, 'open'>,
): PadText {
  const next = timed(state, event);
  if (state.isOpen && (title === null || title === state.title)) return next;
  emit('open', { doc: event.doc, tab: MAIN_TAB, t: next.clock.t, title });
  return { ...next, title: title ?? state.title, isOpen: true };
}

function changed(body: Body, [pos, cut, put]: Change, recording: Recording): Body {
  const without = cut > 0 ? removeAt(body, pos, pos + cut, recording) : body;
  return put === '' ? without : insertAt(without, pos, put, recording);
}
