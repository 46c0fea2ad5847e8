import { isLetterUnit, isSpaceUnit } from './words.ts';

const WORDS_PER_GRAM = 5;
/** Longer texts are compared around the insertion: a paste must cost the same in a page and in a book. */
const REACH = 32_768;
/** Behind the first ops of one event less of the text is looked at: a thousand pastes at once must not stop the server. */
const FIRST_OPS = 16;
const SHORT_REACH = 1024;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A hash (FNV-1a over UTF-16 units) of each word, in lower case. */
function wordHashes(text: string): number[] {
  const lower = text.toLowerCase();
  const hashes: number[] = [];
  let hash = FNV_OFFSET;
  let isWord = false;
  for (let i = 0; i <= lower.length; i += 1) {
    const unit = i < lower.length ? lower.charCodeAt(i) : 0x20;
    if (isSpaceUnit(unit)) {
      if (isWord) hashes.push(hash >>> 0);
      hash = FNV_OFFSET;
      isWord = false;
    } else {
      hash = Math.imul(hash ^ unit, FNV_PRIME);
      isWord ||= isLetterUnit(unit);
    }
  }
  return hashes;
}

function mix(hashes: readonly number[], from: number): number {
  let mixed = FNV_OFFSET;
  for (let i = from; i < from + WORDS_PER_GRAM; i += 1) {
    mixed = Math.imul(mixed ^ (hashes[i] as number), 0x85ebca6b);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 0;
}

/** 32-bit hashes of every run of five words, in order; empty for shorter texts. */
export function gramsOf(text: string): number[] {
  const hashes = wordHashes(text);
  const grams: number[] = [];
  for (let i = 0; i + WORDS_PER_GRAM <= hashes.length; i += 1) grams.push(mix(hashes, i));
  return grams;
}

/** The 16 smallest of them: enough to recognise a text again, too little to read it. */
export function fewGramsOf(text: string): readonly number[] {
  return [...new Set(gramsOf(text))].sort((a, b) => a - b).slice(0, 16);
}

/** The stretch of a text that an insertion at `pos` is compared with; `ops`: how many came before it in one event. */
export function near(pos: number, length: number, ops: number): readonly [from: number, to: number] {
  const reach = ops < FIRST_OPS ? REACH : SHORT_REACH;
  return [Math.max(0, pos - reach), Math.min(length, pos + reach)];
}

/**
 * How new a piece of text is, 0 to 1: the share of its runs of five words that are in none of `others`. Under five
 * words: 0 when it stands there as a whole, else 1.
 */
export function noveltyOf(piece: string, others: readonly string[]): number {
  const grams = gramsOf(piece);
  const words = piece.trim();
  if (grams.length === 0) return words !== '' && others.some((other) => other.includes(words)) ? 0 : 1;
  const missing = new Set(grams);
  for (const other of others) for (const gram of gramsOf(other)) missing.delete(gram);
  return grams.filter((gram) => missing.has(gram)).length / grams.length;
}
