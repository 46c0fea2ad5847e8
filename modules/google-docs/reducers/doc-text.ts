import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { tick } from '#modules/writing/clock.ts';
import { MAIN_TAB, writing } from '#modules/writing/events.ts';
import { type Command, doc, googleDocs } from '../events.ts';
import type { KeyClass } from '../key-class.ts';
import { apply } from './commands.ts';
import { replay } from './history.ts';
import { type DocText, NEW_DOC_TEXT } from './state.ts';
import { type Place, type Tell, tellOpen, tellWork } from './tell.ts';
import { type Work, workOn } from './work.ts';

const KEPT_KEYS = 16;
const TITLE_CHARACTERS = 300;

type Arrived = { readonly at: number; readonly sentAt?: number; readonly doc_id?: string | null };
type About = Arrived & {
  readonly object: {
    readonly title?: string | null | undefined;
    readonly tab_id?: string | null | undefined;
  };
};

const placeOf = (state: DocText, event: Arrived): Place => ({ doc: event.doc_id ?? '', t: state.clock.t });

/** The state at the event's time, with the title that it tells. */
function arrived(state: DocText, event: Arrived & Partial<About>): DocText {
  const title = event.object?.title?.slice(0, TITLE_CHARACTERS) ?? state.title;
  return { ...state, clock: tick(state.clock, event.at, event.sentAt), title };
}

function finish(before: DocText, state: DocText, work: Work, event: Arrived, emit: Tell): DocText {
  const { main, tabs, counts, deleted } = work;
  const place = placeOf(state, event);
  const next = tellOpen({ ...state, main, tabs, counts, deleted }, before, place, emit);
  tellWork(work, place, emit);
  return next;
}

function save(
  before: DocText,
  event: Arrived & { readonly bundles: readonly { readonly commands: readonly Command[] }[] },
  emit: Tell,
): DocText {
  const state = arrived(before, event);
  const work = workOn(state);
  for (const { commands } of event.bundles) for (const command of commands) apply(work, MAIN_TAB, command);
  return finish(before, { ...state, visible: true }, work, event, emit);
}

/** What happened in the page beside text. */
function around(
  before: DocText,
  event: About,
  emit: Tell,
  visible: boolean,
  tell: (at: Place & Tab) => void,
): DocText {
  const state = { ...arrived(before, event), visible };
  const place = placeOf(state, event);
  const next = tellOpen(state, before, place, emit);
  const tab = event.object.tab_id;
  tell(tab ? { ...place, tab } : place);
  return next;
}
type Tab = { readonly tab?: string };

const WRITES = {
  letter: 'printing',
  digit: 'printing',
  punctuation: 'printing',
  space: 'printing',
  enter: 'enter',
  erase: 'erase',
  move: 'move',
} as const;
const kindOf = (key: KeyClass) => (key in WRITES ? WRITES[key as keyof typeof WRITES] : 'other');

type Pressed = { readonly type: string | null; readonly timeStamp: number | null; readonly class: KeyClass };

/** A page that was open when the extension was installed reports each key several times: it is folded once. */
function press(before: DocText, event: About & { readonly keystroke: Pressed }, emit: Tell): DocText {
  const { type, timeStamp, class: key } = event.keystroke;
  const name = `${type ?? ''} ${key} ${timeStamp ?? ''}`;
  if (timeStamp !== null && before.keys.includes(name)) return before;
  const next = around(before, event, emit, true, (at) => {
    if (type !== null && type !== 'keydown') return;
    emit('key', { ...at, class: kindOf(key) });
    if (key === 'shortcut:v') emit('hint', { doc: at.doc, t: at.t, what: 'paste-key' });
    if (key === 'shortcut:z') emit('hint', { doc: at.doc, t: at.t, what: 'undo' });
  });
  return timeStamp === null ? next : { ...next, keys: [...before.keys, name].slice(-KEPT_KEYS) };
}

/** Menus print the shortcut beside the name, and the shortcut is the same in every language. */
const MENU = { paste: /^paste\b|(?:ctrl|strg|cmd|⌘)\W*v\b/i, undo: /^undo\b|(?:ctrl|strg|cmd|⌘)\W*z\b/i };

type Click = { readonly type: string | null; readonly 'target.innerText'?: string };

function click(before: DocText, event: About & { readonly mouseclick: Click }, emit: Tell): DocText {
  const label = event.mouseclick['target.innerText']?.trim() ?? '';
  return around(before, event, emit, true, (at) => {
    if (event.mouseclick.type !== 'mouseup') emit('attention', { ...at, kind: 'click' });
    if (MENU.paste.test(label)) emit('hint', { doc: at.doc, t: at.t, what: 'paste-menu' });
    else if (MENU.undo.test(label)) emit('hint', { doc: at.doc, t: at.t, what: 'undo' });
  });
}

/** The text of a Google document from its editing commands, told to all who listen to writing. */
export const docText = defineReducer({
  name: 'doc-text',
  version: 2,
  source: googleDocs,
  scope: scope(student, doc),
  initial: NEW_DOC_TEXT,
  emits: writing,
  on: {
    google_docs_save: save,
    document_history: (before, event, emit) => {
      const state = arrived(before, event);
      return finish(before, state, replay(state, event.history.changelog), event, emit);
    },
    document_loaded: (before, event, emit) => around(before, event, emit, true, () => {}),
    keystroke: press,
    mouseclick: click,
    attention: (before, event, emit) =>
      around(before, event, emit, before.visible, (at) => {
        const isLeft = /out|blur/.test(event.attention.type ?? '');
        emit('attention', { ...at, kind: isLeft ? 'blur' : 'focus' });
      }),
    visibility: (before, event, emit) => {
      const visible = event.visibility.visible ?? !before.visible;
      return around(before, event, emit, visible, (at) => emit('visibility', { ...at, visible }));
    },
  },
});
