import type { Emit } from '#modules/kit/index.ts';
import { afterOf } from '#modules/writing/edit.ts';
import { MAIN_TAB, type writing } from '#modules/writing/events.ts';
import type { DocText } from './state.ts';
import { bodyIn, type Work } from './work.ts';

export type Tell = Emit<typeof writing, keyof (typeof writing)['events']>;
/** Where and when: `t` in ms. */
export type Place = { readonly doc: string; readonly t: number };

/** Announces a document that was not, a new title, and new tabs; gives the state that knows them announced. */
export function tellOpen(state: DocText, before: DocText, place: Place, emit: Tell): DocText {
  const isNews = !before.isOpen || state.title !== before.title;
  if (isNews) emit('open', { ...place, tab: MAIN_TAB, title: state.title });
  if (state.tabs !== before.tabs) {
    for (const tab of Object.keys(state.tabs)) {
      if (!Object.hasOwn(before.tabs, tab)) emit('open', { ...place, tab, title: state.title });
    }
  }
  return state.isOpen ? state : { ...state, isOpen: true };
}

/** Tells what was worked out, in order; a tab whose ops were too many to tell is told as a whole. */
export function tellWork(work: Work, place: Place, emit: Tell): void {
  for (const { tab, recording, reason, body } of work.parts ?? []) {
    const { doc, t } = place;
    if (reason !== null) emit('load', { doc, t, tab, ...afterOf(body), reason });
    else if (recording.ops.length > 0) emit('edit', { doc, t, tab, ...afterOf(body), ops: recording.ops });
  }
  for (const tab of work.crowded)
    emit('load', { ...place, tab, ...afterOf(bodyIn(work, tab)), reason: 'revert' });
}
