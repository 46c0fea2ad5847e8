const OTHER = 1;
const SPACE = 2;
const LETTER = 3;
/** What each UTF-16 unit is, filled when first met; 0 is not looked at yet. */
const kinds = new Uint8Array(0x10000);

/** The high half of a surrogate pair decides: symbols and emoji live under four of them, letters under the others. */
function kindOfUnit(unit: number): number {
  if (unit >= 0xd800 && unit <= 0xdfff)
    return unit < 0xdc00 && unit !== 0xd834 && (unit < 0xd83c || unit > 0xd83e) ? LETTER : OTHER;
  const character = String.fromCharCode(unit);
  if (unit === 0xfdd0 || /\s/.test(character)) return SPACE;
  return /[\p{L}\p{N}]/u.test(character) ? LETTER : OTHER;
}

function kindOf(unit: number): number {
  const known = kinds[unit] as number;
  if (known !== 0) return known;
  const kind = kindOfUnit(unit);
  kinds[unit] = kind;
  return kind;
}

/** White space, or a character not seen. */
export const isSpaceUnit = (unit: number): boolean => kindOf(unit) === SPACE;
/** Part of a letter or digit. */
export const isLetterUnit = (unit: number): boolean => kindOf(unit) === LETTER;

/**
 * Words of a piece of text: runs without white space that hold a letter or digit.
 *
 * @param hasLeft the run that ends right before the piece holds one already. @param hasRight the same behind it.
 */
export function countWords(piece: string, hasLeft = false, hasRight = false): number {
  let words = 0;
  let has = hasLeft;
  for (let i = 0; i < piece.length; i += 1) {
    const kind = kindOf(piece.charCodeAt(i));
    if (kind === LETTER) has = true;
    else if (kind === SPACE) {
      if (has) words += 1;
      has = false;
    }
  }
  return has || hasRight ? words + 1 : words;
}

const STEP = 16;
/** A run of punctuation longer than this counts as no word: looking further would cost more with every edit. */
const FURTHEST = 4096;

/**
 * Whether the run of characters that touches a place from the left holds a letter or digit.
 *
 * @param near the (at most 16) characters left of `at`, which the caller has at hand. @param slice reads the text.
 */
export function hasWordLeft(near: string, at: number, slice: (from: number, to: number) => string): boolean {
  let piece = near;
  for (let end = at; ; piece = slice(Math.max(0, end - STEP), end)) {
    for (let i = piece.length - 1; i >= 0; i -= 1) {
      const kind = kindOf(piece.charCodeAt(i));
      if (kind !== OTHER) return kind === LETTER;
    }
    end -= piece.length;
    if (end <= 0 || piece === '' || at - end > FURTHEST) return false;
  }
}

/** The same to the right of `at`. */
export function hasWordRight(
  at: number,
  length: number,
  slice: (from: number, to: number) => string,
): boolean {
  for (let from = at; from < length && from - at <= FURTHEST; from += STEP) {
    const piece = slice(from, Math.min(length, from + STEP));
    for (let i = 0; i < piece.length; i += 1) {
      const kind = kindOf(piece.charCodeAt(i));
      if (kind !== OTHER) return kind === LETTER;
    }
  }
  return false;
}
