import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { writing } from '../events.ts';

const MAX_DOCUMENTS = 200;
const MAX_VISITS = 300;
const TITLE_CHARACTERS = 80;
/** `last` moves on in steps of a minute: else every keystroke would change this state. */
const LAST_STEP_MS = 60_000;
const TAG = /#([\p{L}\p{N}_]+)/gu;

type Known = {
  readonly title: string | null;
  readonly first: number;
  readonly last: number;
  readonly tags: readonly string[];
};
type Visit = { readonly t: number; readonly doc: string };

/** Times in ms. `visits`: when which document came to the front, oldest first. `dropped`: documents no longer listed. */
type State = {
  readonly docs: { readonly [doc: string]: Known };
  readonly last: string | null;
  readonly visits: readonly Visit[];
  readonly dropped: number;
};
const initial: State = { docs: {}, last: null, visits: [], dropped: 0 };

type Event = { readonly doc: string; readonly t: number };

function visit(state: State, { doc, t }: Event): State {
  const known = Object.hasOwn(state.docs, doc) ? state.docs[doc] : undefined;
  if (state.last === doc && known && t - known.last < LAST_STEP_MS) return state;
  const visits = state.last === doc ? state.visits : [...state.visits, { t, doc }].slice(-MAX_VISITS);
  const seen = known
    ? { ...known, last: Math.max(known.last, t) }
    : { title: null, first: t, last: t, tags: [] };
  return bounded({ ...state, docs: { ...state.docs, [doc]: seen }, last: doc, visits });
}

function bounded(state: State): State {
  const entries = Object.entries(state.docs);
  if (entries.length <= MAX_DOCUMENTS) return state;
  const oldest = entries.reduce((a, b) => (b[1].last < a[1].last ? b : a))[0];
  const docs = Object.fromEntries(entries.filter(([doc]) => doc !== oldest));
  return { ...state, docs, dropped: state.dropped + 1 };
}

function open(state: State, event: Event & { readonly title: string | null }): State {
  const next = visit(state, event);
  const known = next.docs[event.doc];
  if (!known || event.title === null) return next;
  const title = event.title.slice(0, TITLE_CHARACTERS);
  if (title === known.title) return next;
  const tags = [...new Set(Array.from(event.title.matchAll(TAG), ([, tag]) => tag as string))].slice(0, 16);
  return { ...next, docs: { ...next.docs, [event.doc]: { ...known, title, tags } } };
}

/** Which documents a student has, which was in front last, and when. */
export const documents = defineReducer({
  name: 'documents',
  source: writing,
  scope: scope(student),
  initial,
  on: { open, edit: visit, load: visit, key: visit, hint: visit, attention: visit },
});

/** The document that was in front at `t` (ms); null before the first. */
export function documentAt(state: State, t: number): string | null {
  return state.visits.findLast((visit) => visit.t <= t)?.doc ?? null;
}
