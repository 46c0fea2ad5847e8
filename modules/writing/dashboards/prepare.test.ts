import { describe, expect, it } from 'vitest';
import { slotOf } from './bins.ts';
import type { ClassRow } from './class-row.ts';
import { startOfDay } from './clock.ts';
import {
  countWords,
  emptyText,
  filterStudents,
  lessonOf,
  mostOf,
  prepareClass,
  qualityOf,
  sparklineOf,
} from './prepare.ts';
import { ago, classOf, NOW, PARAMS, rowOf, textOf } from './row-of.testing.ts';
import { stateOf } from './state-word.ts';

const DAY_STARTS = startOfDay(NOW, 'UTC');
const prepare = (rows: readonly ClassRow[], more: Partial<Parameters<typeof prepareClass>[0]> = {}) =>
  prepareClass({
    rows,
    params: PARAMS,
    now: NOW,
    lessonAt: null,
    dayStartsAt: DAY_STARTS,
    trouble: {},
    ...more,
  });
const named = (name: string, different: Partial<ClassRow> = {}) =>
  rowOf({ student: { id: name, name }, ...different });
const anyone = { words: new Set<never>(), find: '', flagged: false };

describe('the class as it is shown', () => {
  it('counts every student once, those without analysis with those without signal', () => {
    const rows = classOf(31);
    const counts = countWords(prepare(rows, { trouble: { s00: { code: 'stopped', since: NOW } } }));
    expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(31);
    expect(counts['no signal']).toBe(countWords(prepare(rows))['no signal'] + 1);
  });

  it('does not take trouble with the totals for trouble with every student', () => {
    const students = prepare(classOf(3), { trouble: { '*': { code: 'unavailable', since: NOW } } });
    expect(students.some(({ state }) => state.word === 'no analysis')).toBe(false);
  });

  it('finds a name by a part of it, without accents and capitals', () => {
    const students = prepare([named('Lucía F.'), named('Łukasz B.'), named('Tuyết P.')]);
    const found = (find: string) =>
      filterStudents(students, { ...anyone, find }).map(({ row }) => row.student.name);
    expect(found('LUCIA')).toEqual(['Lucía F.']);
    expect(found(' tuyet ')).toEqual(['Tuyết P.']);
    expect(found('')).toHaveLength(3);
    expect(found('x')).toEqual([]);
  });

  it('shows several words at once, and no analysis under no signal', () => {
    const rows = [named('a'), named('b', { startedAt: null }), named('c', { seenToday: false }), named('d')];
    const students = prepare(rows, { trouble: { d: { code: 'stopped', since: NOW } } });
    const shown = (...words: ('writing' | 'not started' | 'no signal')[]) =>
      filterStudents(students, { ...anyone, words: new Set(words) }).map(({ row }) => row.student.id);
    expect(shown('writing', 'not started')).toEqual(['a', 'b']);
    expect(shown('no signal')).toEqual(['c', 'd']);
  });

  it('shows those with a flag', () => {
    const students = prepare([
      named('a'),
      named('b', { flags: [{ kind: 'large-paste', at: ago(60), n: 250 }] }),
    ]);
    expect(filterStudents(students, { ...anyone, flagged: true }).map(({ row }) => row.student.id)).toEqual([
      'b',
    ]);
  });
});

describe('the lesson', () => {
  it('begins when the channel says so', () => {
    expect(lessonOf({ lessonAt: NOW - 60_000 }, [], DAY_STARTS)).toBe(NOW - 60_000);
  });

  it('of another day is none; then it begins with the first signal of today', () => {
    const rows = [
      named('a', { signalAt: ago(90_000) }),
      named('b', { signalAt: ago(600) }),
      named('c', { signalAt: ago(300) }),
    ];
    expect(lessonOf({ lessonAt: NOW - 90_000_000 }, rows, DAY_STARTS)).toBe(NOW - 600_000);
    expect(lessonOf(null, [named('a', { signalAt: null })], DAY_STARTS)).toBeNull();
  });
});

describe('the sparkline of a card', () => {
  const wordOf = (row: ClassRow) =>
    stateOf(row, PARAMS, { now: NOW, lessonAt: null, dayStartsAt: DAY_STARTS });
  const full = Array.from({ length: 30 }, (_, i) => [i + 1, 0, 0, 0, 0] as const);

  it('ends with the running half minute', () => {
    const { bars } = sparklineOf(
      rowOf({ bins: textOf(full), bin: [99, 0, 0, 0, 0] }),
      wordOf(rowOf()),
      slotOf(NOW),
    );
    expect(bars).toHaveLength(30);
    expect(bars.at(-1)?.[0]).toBe(99);
    expect(bars.at(-2)?.[0]).toBe(30);
    expect(bars[0]?.[0]).toBe(2);
  });

  it('moves on by itself while nothing comes', () => {
    const { bars } = sparklineOf(
      rowOf({ bins: textOf(full), bin: [99, 0, 0, 0, 0] }),
      wordOf(rowOf()),
      slotOf(NOW) + 2,
    );
    expect(bars.at(-1)?.[0]).toBe(0);
    expect(bars.at(-3)?.[0]).toBe(99);
  });

  it('moves on where the row stays the same', () => {
    const row = rowOf({ bin: [99, 0, 0, 0, 0] });
    const lastAt = (slot: number) => sparklineOf(row, wordOf(row), slot).bars.at(-1)?.[0];
    const slot = slotOf(NOW);
    expect([slot, slot, slot + 1, slot].map(lastAt)).toEqual([99, 99, 0, 99]);
  });

  it('is hatched from where the signal was lost, wholly for whom was not seen today', () => {
    const lost = rowOf({ open: 0, lostAt: ago(120) });
    expect(sparklineOf(lost, wordOf(lost), slotOf(NOW)).silentFrom).toBe(26);
    const away = rowOf({ seenToday: false });
    expect(sparklineOf(away, wordOf(away), slotOf(NOW)).silentFrom).toBe(0);
    expect(sparklineOf(rowOf(), wordOf(rowOf()), slotOf(NOW)).silentFrom).toBeNull();
  });

  it('puts a dot where a large paste was', () => {
    const row = rowOf({ flags: [{ kind: 'large-paste', at: ago(61), n: 250 }] });
    expect(sparklineOf(row, wordOf(row), slotOf(NOW)).dots).toEqual([27]);
  });

  it('has one scale for the class, which a single paste does not set', () => {
    const busy = Array.from({ length: 29 }, () => [64, 0, 0, 0, 0] as const);
    const rows = Array.from({ length: 10 }, (_, i) =>
      named(String(i), { bins: textOf(busy), bin: [64, 0, 0, 0, 0] }),
    );
    expect(mostOf(rows, NOW)).toBe(64);
    expect(mostOf([...rows.slice(1), named('p', { bins: textOf(busy), bin: [5000, 0, 0, 0, 0] })], NOW)).toBe(
      64,
    );
    expect(mostOf([], NOW)).toBeGreaterThan(0);
  });
});

describe('what stands on a card', () => {
  const clock = () => '10:42';
  const state = { word: 'writing', since: null, cause: null, note: null } as const;

  it('says why there is no excerpt', () => {
    expect(emptyText(state, clock)).toBe('no text yet');
    expect(emptyText({ ...state, note: 'not seen today' }, clock)).toBe('not seen today');
    expect(emptyText({ ...state, note: 'paused' }, clock)).toBe('collection is paused');
    expect(emptyText({ ...state, word: 'no analysis', since: 1 }, clock)).toBe('analysis stopped at 10:42');
  });

  it('says in a sentence what is known about the quality', () => {
    expect(qualityOf({ quality: ['parts-not-seen', 'something-new'] })).toBe(
      'Parts of this text were not seen. something new.',
    );
    expect(qualityOf({ quality: [] })).toBe('');
  });
});
