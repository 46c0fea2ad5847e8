import { describe, expect, it } from 'vitest';
import type { ClassRow } from './class-row.ts';
import { inOrder, sortedIds } from './order.ts';
import { prepareClass } from './prepare.ts';
import { shuffled, totalsOf } from './projector.ts';
import { queueOf, waitingIds } from './queue.ts';
import { ago, classOf, NOW, PARAMS, rowOf, textOf } from './row-of.testing.ts';

const LESSON = NOW - 1_140_000;
const prepare = (rows: readonly ClassRow[]) =>
  prepareClass({ rows, params: PARAMS, now: NOW, lessonAt: LESSON, dayStartsAt: 0, trouble: {} });
const named = (name: string, different: Partial<ClassRow> = {}) =>
  rowOf({ student: { id: name, name }, ...different });
const queue = (rows: readonly ClassRow[]) => queueOf(prepare(rows), PARAMS, NOW, () => '10:14');
const quiet = (name: string, seconds: number) =>
  named(name, {
    wroteAt: ago(seconds),
    insAt: ago(seconds),
    focused: false,
    bin: [0, 0, 0, 0, 0],
    words: 267,
  });
const writing = (count: number) => Array.from({ length: count }, (_, i) => named(`w${i}`));

describe('needs me', () => {
  it('names nobody while all write', () => {
    expect(queue(writing(10))).toEqual([]);
  });

  it('names who is long quiet, with since and rule, the newest first', () => {
    const lines = queue([...writing(8), quiet('Bo', 600), quiet('Grace', 402)]);
    expect(lines.map(({ name }) => name)).toEqual(['Grace', 'Bo']);
    expect(lines[0]).toMatchObject({
      chip: 'quiet 6 min',
      sentence: 'Last change at 10:14, after 267 words.',
      since: NOW - 402_000,
      rule: '5 min',
    });
  });

  it('leaves out who is quiet for less than five minutes', () => {
    expect(queue([...writing(5), quiet('Bea', 168)])).toEqual([]);
  });

  it('says what happened of somebody who needs a look, and never more than that', () => {
    const lines = queue([
      ...writing(8),
      named('Amara', {
        cycles: [
          [ago(200), 4],
          [ago(120), 6],
          [ago(60), 5],
        ],
      }),
    ]);
    expect(lines[0]?.sentence).toBe('Deleted and retyped at one place three times.');
    const said = lines.map(({ sentence, chip, rule }) => `${sentence} ${chip} ${rule}`).join(' ');
    expect(said).not.toMatch(
      /off task|idle|inactive|absent|copied|cheated|suspicious|struggling|failing|risk/i,
    );
  });

  it('makes one line of a reason that more than two fifths of a class share', () => {
    const lines = queue([...writing(5), ...['a', 'b', 'c', 'd', 'e'].map((name) => quiet(name, 400))]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ id: null, name: 'The class', sentence: '5 quiet — a break?' });
    expect(waitingIds(lines).size).toBe(0);
  });

  it('keeps lines of their own where few share a reason, or a class is small', () => {
    expect(queue([...writing(6), ...['a', 'b', 'c', 'd'].map((name) => quiet(name, 400))])).toHaveLength(4);
    expect(queue([quiet('a', 400), quiet('b', 400)])).toHaveLength(2);
  });
});

describe('the order of a class', () => {
  const students = prepare([named('Zola', { words: 5 }), named('Ábel', { words: 9 }), quiet('Mia', 400)]);

  it('is the roster, the name, the words, or who needs the teacher', () => {
    expect(sortedIds(students, 'roster')).toEqual(['Zola', 'Ábel', 'Mia']);
    expect(sortedIds(students, 'name')).toEqual(['Ábel', 'Mia', 'Zola']);
    expect(sortedIds(students, 'words')).toEqual(['Mia', 'Ábel', 'Zola']);
    expect(sortedIds(students, 'needs me')[0]).toBe('Mia');
  });

  it('holds: who came later stands at the end, who left is gone', () => {
    const ordered = inOrder(students, ['Mia', 'gone', 'Zola']).map(({ row }) => row.student.id);
    expect(ordered).toEqual(['Mia', 'Zola', 'Ábel']);
  });
});

describe('the projector', () => {
  it('adds up the class', () => {
    const row = (id: string) =>
      named(id, { words: 100, bin: [0, 0, 0, 20, 30], bins: textOf([[0, 0, 0, 5, 30]]) });
    const totals = totalsOf(prepare([row('a'), row('b'), named('c', { seenToday: false, words: 7 })]), NOW);
    expect(totals).toMatchObject({ atWork: 2, students: 3, words: 207, wordsPerMinute: 17 });
    expect(totals.perMinute.map(({ words }) => words).slice(-2)).toEqual([0, 85]);
  });

  it('shows nobody at a place that gives the roster away, and the same in two windows', () => {
    const students = prepare(classOf(31));
    const ids = (seed: string) => shuffled(students, seed).map(({ row }) => row.student.id);
    expect(ids('c1')).toEqual(ids('c1'));
    expect(ids('c1')).not.toEqual(ids('c2'));
    expect(ids('c1')).not.toEqual(students.map(({ row }) => row.student.id));
    expect(ids('c1').toSorted()).toEqual(students.map(({ row }) => row.student.id).toSorted());
  });
});
