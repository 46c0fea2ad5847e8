const CHARACTERS = 100;
const BEFORE = 67;
const NEAR = 10;

/** `before` and `after` of a caret. */
export type Excerpt = { readonly before: string; readonly after: string };

/** How much of a text on either side of a place an excerpt can need. */
export const EXCERPT_REACH = CHARACTERS + NEAR + 1;

/**
 * The piece of a text around its cursor: 100 characters, two thirds before the cursor, what one side leaves free goes to
 * the other; each cut moves outward to a word edge if one is at most 10 characters away, and splits no surrogate pair.
 *
 * @param text at least `EXCERPT_REACH` characters of it on either side of the cursor, where there are as many.
 */
export function excerptOf(text: string, cursor: number): Excerpt {
  const at = Math.min(Math.max(cursor, 0), text.length);
  const before = Math.min(at, Math.max(BEFORE, CHARACTERS - (text.length - at)));
  const from = outward(text, at - before, -1);
  const to = outward(text, Math.min(text.length, at + CHARACTERS - before), 1);
  return { before: text.slice(from, at), after: text.slice(at, to) };
}

const isBreak = (unit: string | undefined) => unit === undefined || /\s/.test(unit);
const isLowHalf = (text: string, at: number) =>
  /[\uDC00-\uDFFF]/.test(text[at] ?? '') && /[\uD800-\uDBFF]/.test(text[at - 1] ?? '');

/** The nearest word edge from `at` on in one direction, or `at` itself, moved off the middle of a surrogate pair. */
function outward(text: string, at: number, step: 1 | -1): number {
  for (let moved = 0; moved <= NEAR; moved += 1) {
    const place = at + step * moved;
    if (place < 0 || place > text.length) break;
    if (isEdge(text, place, step)) return place;
  }
  return isLowHalf(text, at) ? at + step : at;
}

/** A cut at the left stands before a word's first character, one at the right behind its last. */
function isEdge(text: string, place: number, step: 1 | -1): boolean {
  const outside = step === -1 ? text[place - 1] : text[place];
  return isBreak(outside);
}
