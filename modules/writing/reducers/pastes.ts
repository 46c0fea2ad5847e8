import { defineReducer, scope, student } from '#modules/kit/index.ts';
import { CANDIDATE } from '../edit.ts';
import { doc, type Insertion, type Op, writing } from '../events.ts';
import type { Mutable } from '../mutable.ts';
import { fewGramsOf } from '../novelty.ts';

const KEPT = 20;
const HINT_MS = { 'paste-key': 2500, 'paste-menu': 1500, undo: 2500 } as const;
const SPARE_CHARACTERS = 10;
const FASTEST_PER_SECOND = 25;
const UNKEYED = { characters: 300, ms: 10_000 };
const REPLACED = { characters: 40, ms: 50 };
const NOVELTY = { moved: 0.2, mixed: 0.8 };

export type PasteClass = 'moved' | 'quote' | 'unkeyed' | 'mixed' | 'new';

/**
 * One insertion that was not typed; its words are not kept. `t` in ms. `share`: of all that was added up to here, what
 * was pasted new or mixed; `length`: the document's then.
 */
export type Paste = {
  readonly t: number;
  readonly pos: number;
  readonly n: number;
  readonly class: PasteClass;
  readonly novelty: number;
  /** Seen by its key or menu; else inferred from its speed. */
  readonly sure: boolean;
  readonly grams: readonly number[];
  readonly share: number;
  readonly length: number;
};

/** Counts in characters. `moved` text is in neither `typed`, `pasted` nor `deleted`. */
type State = {
  readonly typed: number;
  readonly pasted: number;
  /** Of `pasted`: classes new and mixed. */
  readonly foreign: number;
  readonly moved: number;
  readonly deleted: number;
  readonly keys: number | null;
  readonly keyAt: number | null;
  readonly hintAt: { readonly [what in keyof typeof HINT_MS]: number | null };
  readonly last: { readonly t: number; readonly kind: 'ins' | 'del'; readonly n: number } | null;
  readonly list: readonly Paste[];
  /** How many pastes there were, also those no longer listed. */
  readonly count: number;
};

const NO_HINTS = { 'paste-key': null, 'paste-menu': null, undo: null };

const initial: State = {
  typed: 0,
  pasted: 0,
  foreign: 0,
  moved: 0,
  deleted: 0,
  keys: null,
  keyAt: null,
  hintAt: NO_HINTS,
  last: null,
  list: [],
  count: 0,
};

type Edit = { readonly t: number; readonly ops: readonly Op[]; readonly length: number };

function edit(state: State, event: Edit): State {
  const next: Mutable<State> = { ...state };
  for (const op of event.ops) {
    if (op.kind === 'del') next.deleted += op.text.length;
    else insert(next, op, event);
    next.last = { t: event.t, kind: op.kind, n: op.text.length };
    if (next.keys !== null) next.keys = 0;
  }
  return next;
}

function insert(next: Mutable<State>, op: Insertion, event: Edit): void {
  const how = op.text.length < CANDIDATE ? 'typed' : arrivalOf(next, op, event.t);
  if (how === 'undo') return;
  if (how === 'typed') {
    next.typed += op.text.length;
    return;
  }
  const paste = classOf(next, op, event.t, how === 'sure');
  next.count += 1;
  if (paste === 'moved') {
    next.moved += op.text.length;
    next.deleted = Math.max(0, next.deleted - op.text.length);
  } else {
    next.pasted += op.text.length;
    if (paste === 'new' || paste === 'mixed') next.foreign += op.text.length;
  }
  next.list = [...next.list, entryOf(next, op, event, paste, how === 'sure')].slice(-KEPT);
}

/** How an insertion came about, by the first rule that holds: by undo, sure or inferred paste, or the keyboard. */
function arrivalOf(
  next: Mutable<State>,
  { text }: Insertion,
  t: number,
): 'undo' | 'sure' | 'inferred' | 'typed' {
  const isDue = (what: keyof typeof HINT_MS) =>
    t - (next.hintAt[what] ?? Number.NEGATIVE_INFINITY) <= HINT_MS[what];
  if (isDue('undo')) return 'undo';
  if (isDue('paste-key') || isDue('paste-menu')) {
    next.hintAt = { ...NO_HINTS, undo: next.hintAt.undo };
    return 'sure';
  }
  if (isReplacement(next.last, text.length, t)) return 'typed';
  if (next.keys !== null) return text.length > next.keys + SPARE_CHARACTERS ? 'inferred' : 'typed';
  const seconds = next.last === null ? Number.POSITIVE_INFINITY : (t - next.last.t) / 1000;
  return text.length > FASTEST_PER_SECOND * seconds ? 'inferred' : 'typed';
}

/** A spelling correction takes a word out and puts another in at once. */
function isReplacement(last: State['last'], n: number, t: number): boolean {
  return (
    last?.kind === 'del' &&
    t - last.t <= REPLACED.ms &&
    last.n <= REPLACED.characters &&
    n <= REPLACED.characters
  );
}

function classOf(next: Mutable<State>, op: Insertion, t: number, sure: boolean): PasteClass {
  const novelty = op.novelty ?? 1;
  if (novelty < NOVELTY.moved) return 'moved';
  if (isQuoted(op)) return 'quote';
  const isFarFromKeys = next.keyAt === null || t - next.keyAt > UNKEYED.ms;
  if (!sure && op.text.length < UNKEYED.characters && isFarFromKeys) return 'unkeyed';
  return novelty < NOVELTY.mixed ? 'mixed' : 'new';
}

const OPENING = /["“”„«»‘‚‹]$/;
const QUOTED = /^["“”„«»‘‚‹].*["”“»«’‘›]$/s;

function isQuoted({ text, before }: Insertion): boolean {
  return QUOTED.test(text.trim()) || OPENING.test(before);
}

function entryOf(next: Mutable<State>, op: Insertion, event: Edit, paste: PasteClass, sure: boolean): Paste {
  return {
    t: event.t,
    pos: op.pos,
    n: op.text.length,
    class: paste,
    novelty: Math.round((op.novelty ?? 1) * 1000) / 1000,
    sure,
    grams: fewGramsOf(op.text),
    share: Math.round((next.foreign / Math.max(1, next.typed + next.pasted)) * 1000) / 1000,
    length: event.length,
  };
}

/** What came into a document otherwise than by its keyboard, and how much was typed, moved and deleted. */
export const pastes = defineReducer({
  name: 'pastes',
  source: writing,
  scope: scope(student, doc),
  initial,
  on: {
    edit,
    key: (state, event) => ({
      ...state,
      keys: (state.keys ?? 0) + (event.class === 'printing' || event.class === 'enter' ? 1 : 0),
      keyAt: event.t,
    }),
    hint: (state, event) => ({ ...state, hintAt: { ...state.hintAt, [event.what]: event.t } }),
  },
});

/** Of all added, as in `Paste.share`, and a document's length from which on a large paste is worth a flag. */
const FLAG = { share: 0.4, length: 100 };

/** Whether a paste is flagged as large, from `largest` characters on. */
export function isLargePaste(paste: Paste, largest: number): boolean {
  const isForeign = paste.class === 'new' || paste.class === 'mixed';
  return isForeign && paste.n >= largest && paste.length >= FLAG.length && paste.share > FLAG.share;
}
