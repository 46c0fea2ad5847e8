import type { Envelope } from '#modules/kit/index.ts';
import { event } from '#modules/kit/testing.ts';
import { afterOf, type Body, bodyOf, EMPTY_BODY, insertAt, type Recording, removeAt } from './edit.ts';
import { MAIN_TAB, writing } from './events.ts';

type Key = 'printing' | 'enter' | 'erase' | 'move' | 'other';

/** Writes in one document and gives the events that any editor's module would emit for it. Times in ms. */
export function writer(doc = 'd1', student = 'ada') {
  const events: Envelope[] = [];
  let body: Body = EMPTY_BODY;
  let deleted: readonly string[] = [];

  function change(t: number, how: (recording: Recording) => Body) {
    const recording: Recording = { ops: [], deleted };
    body = how(recording);
    deleted = recording.deleted;
    events.push(
      event(writing, 'edit', { student, at: t, doc, t, tab: MAIN_TAB, ops: recording.ops, ...afterOf(body) }),
    );
    return self;
  }
  const put = (made: Envelope) => {
    events.push(made);
    return self;
  };
  const self = {
    events,
    ins: (t: number, pos: number, value: string) =>
      change(t, (recording) => insertAt(body, pos, value, recording)),
    del: (t: number, from: number, to: number) =>
      change(t, (recording) => removeAt(body, from, to, recording)),
    load: (t: number, value: string) => {
      body = bodyOf(value);
      return put(
        event(writing, 'load', {
          student,
          at: t,
          doc,
          t,
          tab: MAIN_TAB,
          reason: 'history',
          ...afterOf(body),
        }),
      );
    },
    open: (t: number, title: string | null) =>
      put(event(writing, 'open', { student, at: t, doc, t, tab: MAIN_TAB, title })),
    key: (t: number, kind: Key = 'printing') =>
      put(event(writing, 'key', { student, at: t, doc, t, class: kind })),
    hint: (t: number, what: 'paste-key' | 'paste-menu' | 'undo') =>
      put(event(writing, 'hint', { student, at: t, doc, t, what })),
    focus: (t: number, kind: 'click' | 'focus' | 'blur') =>
      put(event(writing, 'attention', { student, at: t, doc, t, kind })),
    visible: (t: number, visible: boolean) =>
      put(event(writing, 'visibility', { student, at: t, doc, t, visible })),
  };
  return self;
}
