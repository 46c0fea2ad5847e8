import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { MAIN_TAB } from '#modules/writing/events.ts';
import { type Command, doc, googleDocs, isCommand } from '../events.ts';
import { tabNamedBy } from './commands.ts';

const MAX_TABS = 128;
const DEEPEST = 32;
const TITLE_CHARACTERS = 80;
/** `seen` moves on in steps of a minute: else every keystroke would change this state. */
const SEEN_STEP_MS = 60_000;

type Tab = { readonly title: string | null; readonly seen: number };
/** `active`: the tab in front, null while the document has shown none. `seen`: ms. */
type State = { readonly active: string | null; readonly tabs: { readonly [tab: string]: Tab } };
const initial: State = { active: null, tabs: {} };

function see(state: State, tab: string, at: number, title?: string): State {
  const known = Object.hasOwn(state.tabs, tab) ? state.tabs[tab] : undefined;
  if (!known && (Object.keys(state.tabs).length >= MAX_TABS || !tab.startsWith('t.'))) return state;
  const isSame = title === undefined || title === known?.title;
  if (known && isSame && at - known.seen < SEEN_STEP_MS) return state;
  const seen = { title: title ?? known?.title ?? null, seen: Math.max(at, known?.seen ?? 0) };
  return { ...state, tabs: { ...state.tabs, [tab]: seen } };
}

function front(state: State, tab: string | null | undefined, at: number): State {
  if (!tab) return state;
  const next = see(state, tab, at);
  return next.active === tab || !Object.hasOwn(next.tabs, tab) ? next : { ...next, active: tab };
}

/** Titles stand in `ucp`, `ac` and `mkch`, also inside `nm` and `mlti`. */
function titlesIn(state: State, command: Command, tab: string, at: number, depth = 0): State {
  if (depth > DEEPEST) return state;
  switch (command.ty) {
    case 'nm':
      return isCommand(command.nmc)
        ? titlesIn(state, command.nmc, tabNamedBy(command.nmr) ?? tab, at, depth + 1)
        : state;
    case 'mlti':
      return Array.isArray(command.mts)
        ? command.mts.filter(isCommand).reduce((next, one) => titlesIn(next, one, tab, at, depth + 1), state)
        : state;
    case 'ucp':
    case 'ac':
    case 'mkch':
      return named(state, command, tab, at);
    default:
      return state;
  }
}

/** The payload is an array such as `["t.abc", [null, [null, "Title"]]]` or `[[null, "Title"]]`, under any name. */
function named(state: State, command: Command, tab: string, at: number): State {
  const payload = Object.values(command).find(Array.isArray);
  const [first] = payload ?? [];
  const isNamed = typeof first === 'string' && first.startsWith('t.');
  const title = firstString(isNamed ? payload?.slice(1) : payload, 0);
  if (title === undefined) return state;
  return see(state, isNamed ? first.slice(0, 100) : tab, at, title.slice(0, TITLE_CHARACTERS));
}

function firstString(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || depth > 8) return undefined;
  for (const inner of value) {
    const found = firstString(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

type About = { readonly at: number; readonly object: { readonly tab_id?: string | null | undefined } };
const about = (state: State, { at, object }: About) => front(state, object.tab_id, at);

/** The tabs of a Google document: which is in front, what they are called. */
export const tabs = defineReducer({
  name: 'tabs',
  source: googleDocs,
  scope: scope(student, doc),
  initial,
  on: {
    google_docs_save: (state, { at, tab_id, bundles }) => {
      let next = front(state, tab_id, at);
      for (const { commands } of bundles)
        for (const command of commands) next = titlesIn(next, command, MAIN_TAB, at);
      return next;
    },
    document_loaded: about,
    keystroke: about,
    mouseclick: about,
    attention: about,
  },
});
