import { type Text, text } from '#modules/kit/index.ts';
import type { Op } from './events.ts';
import { near, noveltyOf } from './novelty.ts';
import { clean, countGaps, GAP } from './readable.ts';
import { countWords, hasWordLeft, hasWordRight } from './words.ts';

/**
 * One text as an editor's module holds it. Positions count UTF-16 units from 0. `cursor`: where the next character
 * goes. `given`: characters that were there before the student's first edit. `gap`: characters not seen (`GAP`).
 */
export type Body = {
  readonly text: Text;
  readonly cursor: number;
  readonly given: number;
  readonly gap: number;
  readonly words: number;
};

export const EMPTY_BODY: Body = { text: text.of(''), cursor: 0, given: 0, gap: 0, words: 0 };

/** What one step writes down. `deleted`: the student's recent longer deletions, for the novelty of insertions. */
export type Recording = { readonly ops: Op[]; deleted: readonly string[] };

const BEFORE = 16;
export const CANDIDATE = 20;
/** The longest text that is held: Google allows 1.02 million characters, and filling up to any position costs memory. */
export const MOST_CHARACTERS = 4_000_000;
const KEPT_DELETIONS = 8;
const KEPT_CHARACTERS = 8192;

/** Fills what lies between the known text and `pos` with gap. */
export function fillTo(body: Body, pos: number): Body {
  const length = text.length(body.text);
  const missing = pos - length;
  if (missing <= 0) return body;
  return { ...body, text: text.insert(body.text, length, GAP.repeat(missing)), gap: body.gap + missing };
}

function beforeOf(body: Body, pos: number): string {
  const piece = text.slice(body.text, Math.max(0, pos - BEFORE), pos);
  return body.gap === 0 ? piece : piece.slice(piece.lastIndexOf(GAP) + 1);
}

/** Whether words touch the place from the left and the right. */
function touching(body: Body, from: number, to: number, before: string) {
  const slice = (a: number, b: number) => text.slice(body.text, a, b);
  return {
    left: hasWordLeft(before, from, slice),
    right: hasWordRight(to, text.length(body.text), slice),
  };
}

/**
 * Inserts `raw` at `pos`; the cursor goes behind it. A position beyond the known text fills the rest with gap.
 *
 * What would make the text longer than `MOST_CHARACTERS` is left out.
 *
 * @param recording gets the op; null when nothing is to be reported (a replayed history).
 */
export function insertAt(body: Body, pos: number, raw: string, recording: Recording | null): Body {
  if (Math.max(pos, text.length(body.text)) + raw.length > MOST_CHARACTERS) return body;
  const filled = fillTo(body, pos);
  if (raw === '') return filled.cursor === pos ? filled : { ...filled, cursor: pos };
  const value = clean(raw);
  const before = beforeOf(filled, pos);
  const { left, right } = touching(filled, pos, pos, before);
  recording?.ops.push(insertion(filled, pos, value, before, recording));
  return {
    text: text.insert(filled.text, pos, value),
    cursor: pos + value.length,
    given: filled.given,
    gap: filled.gap,
    words: filled.words + countWords(value, left, right) - (left || right ? 1 : 0),
  };
}

function insertion(body: Body, pos: number, value: string, before: string, { ops, deleted }: Recording): Op {
  if (value.length < CANDIDATE) return { kind: 'ins', pos, text: value, before };
  const around = text.slice(body.text, ...near(pos, text.length(body.text), ops.length));
  return { kind: 'ins', pos, text: value, before, novelty: noveltyOf(value, [around, ...deleted]) };
}

/** Removes `[from, to)`; the cursor goes to `from`. What lies beyond the known text is filled with gap first. */
export function removeAt(body: Body, from: number, to: number, recording: Recording | null): Body {
  if (to > MOST_CHARACTERS || to <= from) return body;
  const filled = fillTo(body, to);
  const removed = text.slice(filled.text, from, to);
  const gaps = filled.gap === 0 ? 0 : countGaps(removed);
  const { left, right } = touching(filled, from, to, beforeOf(filled, from));
  if (recording !== null) {
    const seen = gaps === 0 ? removed : removed.replaceAll(GAP, '');
    recording.ops.push({ kind: 'del', pos: from, text: seen, unknown: gaps });
    recording.deleted = keepDeletion(recording.deleted, seen);
  }
  return {
    text: text.remove(filled.text, from, to),
    cursor: from,
    given: filled.given,
    gap: filled.gap - gaps,
    words: filled.words - countWords(removed, left, right) + (left || right ? 1 : 0),
  };
}

/** Adds a deletion of at least 20 characters to the last eight, 8,192 characters in all, oldest out. */
export function keepDeletion(deleted: readonly string[], removed: string): readonly string[] {
  if (removed.length < CANDIDATE) return deleted;
  const kept = [...deleted, removed.slice(0, KEPT_CHARACTERS)].slice(-KEPT_DELETIONS);
  let total = kept.reduce((sum, piece) => sum + piece.length, 0);
  while (total > KEPT_CHARACTERS) total -= kept.shift()?.length ?? 0;
  return kept;
}

/** A body that holds exactly `value`, as after a load. */
export function bodyOf(value: string, given = value.length): Body {
  return {
    text: text.of(value),
    cursor: value.length,
    given,
    gap: countGaps(value),
    words: countWords(value),
  };
}

/** The fields that `writing.edit` and `writing.load` carry of a body. */
export function afterOf(body: Body) {
  return {
    text: body.text,
    cursor: body.cursor,
    length: text.length(body.text),
    words: body.words,
    unknown: body.gap,
  };
}
