import { defineReducer, scope, student, type Text, text } from '#modules/kit/index.ts';
import { doc, MAIN_TAB, writing } from '../events.ts';

/** One tab's text as last seen: the editor's own tree of chunks, shared, so that it lies in memory once. */
export type Sheet = {
  readonly text: Text;
  readonly cursor: number;
  readonly words: number;
  /** Characters not seen; the text holds them as `GAP`. */
  readonly unknown: number;
};

export const EMPTY_SHEET: Sheet = { text: text.of(''), cursor: 0, words: 0, unknown: 0 };

/** `tab`: the one changed last. */
type State = { readonly tab: string; readonly sheets: { readonly [tab: string]: Sheet } };
const initial: State = { tab: MAIN_TAB, sheets: {} };
const MAX_TABS = 128;

type After = Sheet & { readonly tab: string };

function put(state: State, { tab, text, cursor, words, unknown }: After): State {
  if (state.sheets[tab] === undefined && Object.keys(state.sheets).length >= MAX_TABS) return state;
  return { tab, sheets: { ...state.sheets, [tab]: { text, cursor, words, unknown } } };
}

/** The text of a document, whichever editor it was written in. */
export const documentText = defineReducer({
  name: 'document-text',
  version: 2,
  source: writing,
  scope: scope(student, doc),
  initial,
  on: { edit: put, load: put },
});

/** The tab's sheet, or that of the tab changed last; an empty one before there is any. */
export function sheetOf(state: State, tab?: string): Sheet {
  return state.sheets[tab ?? state.tab] ?? EMPTY_SHEET;
}
