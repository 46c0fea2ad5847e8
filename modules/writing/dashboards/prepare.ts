import { min, quantile } from 'd3';
import type { Trouble } from '#modules/kit/index.ts';
import { BIN_SECONDS, BINS_SHOWN, binsAt, slotOf, sumOf } from './bins.ts';
import type { ClassParams, ClassRow } from './class-row.ts';
import { type State, stateOf } from './state-word.ts';
import { COUNTED, type Counted, countedAs } from './words.ts';

/** One student as the dashboard shows her: the row as it came, and the word for now. */
export type Prepared = { readonly row: ClassRow; readonly state: State };

type Given = {
  readonly rows: readonly ClassRow[];
  readonly params: ClassParams;
  readonly now: number;
  readonly lessonAt: number | null;
  readonly trouble: { readonly [student: string]: Trouble };
  /** The beginning of the school's day, in ms. */
  readonly dayStartsAt: number;
};

/** A word for every student, in roster order. Trouble under `*` is about the class's totals, not about a student. */
export function prepareClass({ rows, params, trouble, ...moment }: Given): readonly Prepared[] {
  return rows.map((row) => ({
    row,
    state: stateOf(row, params, { ...moment, trouble: trouble[row.student.id] }),
  }));
}

/**
 * When today's lesson began, in ms: as the channel says, unless that was on an earlier day; then with the first signal
 * of today, null while there is none.
 */
export function lessonOf(
  frame: { readonly lessonAt: number | null } | null,
  rows: readonly ClassRow[],
  dayStartsAt: number,
): number | null {
  const said = frame?.lessonAt ?? null;
  if (said !== null && said >= dayStartsAt) return said;
  const today = rows.flatMap(({ signalAt }) => (signalAt === null ? [] : [signalAt * 1000]));
  return min(today.filter((at) => at >= dayStartsAt)) ?? null;
}

export function countWords(students: readonly Prepared[]): Readonly<Record<Counted, number>> {
  const counts = Object.fromEntries(COUNTED.map((word) => [word, 0])) as Record<Counted, number>;
  for (const { state } of students) counts[countedAs(state.word)] += 1;
  return counts;
}

/** `words` empty: all. `find`: part of the name, without regard to case and accents. */
export type Filter = {
  readonly words: ReadonlySet<Counted>;
  readonly find: string;
  readonly flagged: boolean;
};

export function filterStudents(students: readonly Prepared[], filter: Filter): readonly Prepared[] {
  const wanted = folded(filter.find);
  return students.filter(({ row, state }) => {
    if (filter.words.size > 0 && !filter.words.has(countedAs(state.word))) return false;
    if (filter.flagged && row.flags.length === 0) return false;
    return wanted === '' || folded(row.student.name).includes(wanted);
  });
}

const folded = (name: string) => name.normalize('NFD').replace(/\p{M}/gu, '').trim().toLowerCase();

/**
 * What fills a sparkline's height, for a whole class: the 98.5th percentile of all half minutes, so that one paste does
 * not flatten the others, up to the next power of √2, so that it seldom changes and cards need not be drawn again.
 */
export function mostOf(rows: readonly ClassRow[], now: number): number {
  const slot = slotOf(now);
  const added = rows.flatMap((row) => binsAt(row, slot).map((bin) => bin[0])).filter((value) => value > 0);
  const high = quantile(added, 0.985) ?? 1;
  return Math.round(2 ** (Math.ceil(Math.log2(Math.max(16, high)) * 2) / 2));
}

/** What a card's sparkline draws at a half minute. `silentFrom`: the first without signal. */
export function sparklineOf(row: ClassRow, state: State, slot: number) {
  const bins = binsAt(row, slot);
  const first = slot - (BINS_SHOWN - 1);
  const [added, removed] = sumOf(bins);
  return {
    bars: bins,
    silentFrom: silentFrom(state, first),
    dots: row.flags.map(({ at }) => Math.floor(at / BIN_SECONDS) - first),
    label: `last 15 minutes: ${added} added, ${removed} removed`,
  };
}

function silentFrom(state: State, first: number): number | null {
  if (state.word !== 'no signal') return null;
  if (state.note === 'not seen today') return 0;
  if (state.since === null) return null;
  return Math.min(BINS_SHOWN - 1, Math.max(0, slotOf(state.since) - first + 1));
}

const SENTENCES: Readonly<Record<string, string>> = {
  'parts-not-seen': 'Parts of this text were not seen.',
  'events-lost': 'Some changes were lost on the way.',
  'clock-off': 'This device’s clock is off; times are corrected.',
  'identity-not-verified': 'Who writes here is not verified.',
};

/** The quality note of a row in words; empty when there is none. */
export function qualityOf(row: { readonly quality: readonly string[] }): string {
  return row.quality.map((code) => SENTENCES[code] ?? `${code.replaceAll('-', ' ')}.`).join(' ');
}

/** What stands in place of the excerpt where there is none. */
export function emptyText(state: State, timeOf: (ms: number) => string): string {
  if (state.word === 'no analysis') {
    return state.since === null ? 'analysis stopped' : `analysis stopped at ${timeOf(state.since)}`;
  }
  if (state.note === 'paused') return 'collection is paused';
  return state.note ?? 'no text yet';
}

export const minutesOf = (activeSeconds: number) => Math.floor(activeSeconds / 60);
