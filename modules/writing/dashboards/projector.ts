import { binsAt, slotOf } from './bins.ts';
import type { ClassRow } from './class-row.ts';
import type { Prepared } from './prepare.ts';

/** Class totals without a name. `perMinute`: whole minutes, oldest first, the last one ending now. */
export type ClassTotals = {
  readonly wordsPerMinute: number;
  readonly atWork: number;
  readonly students: number;
  readonly words: number;
  readonly perMinute: readonly { readonly at: number; readonly words: number }[];
};

const MINUTES = 15;
const RECENT_MINUTES = 5;

/** What the projector's first view shows; words won minus words lost, never below zero. */
export function totalsOf(students: readonly Prepared[], now: number): ClassTotals {
  const rows = students.map(({ row }) => row);
  const perMinute = wordsByMinute(rows, now);
  const recent = perMinute.slice(-RECENT_MINUTES).reduce((sum, { words }) => sum + words, 0);
  return {
    wordsPerMinute: Math.round(recent / RECENT_MINUTES),
    atWork: students.filter(({ state }) => state.word === 'writing' || state.word === 'revising').length,
    students: students.length,
    words: rows.reduce((sum, row) => sum + row.words, 0),
    perMinute,
  };
}

function wordsByMinute(rows: readonly ClassRow[], now: number): ClassTotals['perMinute'] {
  const slot = slotOf(now);
  const words = Array.from({ length: MINUTES }, () => 0);
  for (const row of rows) {
    for (const [i, bin] of binsAt(row, slot, MINUTES * 2).entries())
      words[i >> 1] = (words[i >> 1] ?? 0) + bin[3];
  }
  return words.map((sum, i) => ({ at: now - (MINUTES - 1 - i) * 60_000, words: Math.max(0, sum) }));
}

/** Students in an order that does not give the roster away, the same in every window of a class. */
export function shuffled(students: readonly Prepared[], seed: string): readonly Prepared[] {
  const keyed = students.map((student) => ({ student, key: hash(seed + student.row.student.id) }));
  return keyed.sort((a, b) => a.key - b.key).map(({ student }) => student);
}

/** FNV-1a, 32 bits: only to shuffle, not to keep a secret. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}
