import { text } from '#modules/kit/index.ts';
import { type Body, EMPTY_BODY } from '#modules/writing/edit.ts';
import { MAIN_TAB } from '#modules/writing/events.ts';
import type { Change } from '../events.ts';
import { apply } from './commands.ts';
import type { DocText } from './state.ts';
import { bodyIn, count, loadIn, type Work, workOn } from './work.ts';

/** A document's whole past. It heals what was not seen; where it says nothing new, nothing happens. */
export function replay(state: DocText, changelog: readonly Change[]): Work {
  const past = workOn({ ...state, main: EMPTY_BODY, tabs: {} }, null);
  for (const [command] of changelog) apply(past, MAIN_TAB, command);
  const work = workOn(state);
  for (const tab of [MAIN_TAB, ...Object.keys(past.tabs)]) heal(work, tab, bodyIn(past, tab));
  if (work.parts !== null && work.parts.length > 0) count(work, { healed: state.counts.healed + 1 });
  return work;
}

function heal(work: Work, tab: string, found: Body): void {
  const known = bodyIn(work, tab);
  if (text.whole(known.text) === text.whole(found.text)) return;
  const isFirst = text.length(known.text) === 0;
  loadIn(work, tab, { ...found, given: isFirst ? text.length(found.text) : known.given }, 'history');
}
