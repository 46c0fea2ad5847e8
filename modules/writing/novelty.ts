import { countWords } from './words.ts';

const WORDS_PER_GRAM = 5;
/** Longer texts are compared around the insertion: a paste must cost the same in a page and in a book. */
const REACH = 32_768;

/** FNV-1a over UTF-16 units. */
function hash(word: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < word.length; i += 1) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

function mix(hashes: readonly number[], from: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < from + WORDS_PER_GRAM; i += 1) {
    h = Math.imul(h ^ (hashes[i] as number), 0x85ebca6b);
    h ^= h >>> 15;
  }
  return h >>> 0;
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[\s\uFDD0]+/)
    .filter((run) => countWords(run) > 0);
}

/** 32-bit hashes of every run of five words, in order; empty for shorter texts. */
export function gramsOf(text: string): number[] {
  const hashes = wordsOf(text).map(hash);
  return hashes.slice(WORDS_PER_GRAM - 1).map((_, i) => mix(hashes, i));
}

/** The 16 smallest of them: enough to recognise a text again, too little to read it. */
export function fewGramsOf(text: string): readonly number[] {
  return [...new Set(gramsOf(text))].sort((a, b) => a - b).slice(0, 16);
}

/** What a novelty is measured against, within `REACH` characters on either side. */
export function near(pos: number, length: number): readonly [from: number, to: number] {
  return [Math.max(0, pos - REACH), Math.min(length, pos + REACH)];
}

/**
 * How new a piece of text is, 0 to 1: the share of its runs of five words that are in none of `others`. Under five
 * words: 0 when it stands there as a whole, else 1.
 */
export function noveltyOf(piece: string, others: readonly string[]): number {
  const grams = gramsOf(piece);
  if (grams.length === 0) return others.some((other) => other.includes(piece.trim())) ? 0 : 1;
  const known = new Set(others.flatMap(gramsOf));
  return grams.filter((gram) => !known.has(gram)).length / grams.length;
}
