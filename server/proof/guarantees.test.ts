import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS } from '#server/commands/mutants/list.ts';
import { CASES, NOT_BUILT } from './conformance/cases.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const STATES = ['passed', 'in part', 'not passed', 'not built'];
const numbered = (letter: string, numbers: readonly number[]) => numbers.map((n) => `${letter}${n}`);

/** The tests of the design that are due with what is built; the sabotages and the cases of the wire have lists of their own. */
const DUE = [
  ...numbered('R', [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20]),
  ...numbered('F', [1, 2, 3, 4]),
  ...numbered('L', [1, 2, 3, 4, 5, 6, 7]),
  ...numbered('W', [1, 3, 5]),
  'A3',
  'O6',
];
const SABOTAGES = [
  ...new Set(MUTANTS.map(({ id }) => /^M\d+/.exec(id)?.[0]).filter((id) => id !== undefined)),
];

const rows = readFileSync(join(ROOT, 'GUARANTEES.md'), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, id]) => /^[A-Z]\d+$/.test(id ?? ''))
  .map(([, id = '', , command = '', figure = '', state = '']) => ({ id, command, figure, state }));

test('the table has every test of the design once, and no other', () => {
  const due = [...DUE, ...SABOTAGES, 'M13', 'M14', ...CASES.map(({ id }) => id), ...NOT_BUILT];
  expect(rows.map(({ id }) => id).toSorted()).toEqual(due.toSorted());
});

test('every command of the table is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const missing = rows.flatMap(({ id, command }) =>
    command
      .replaceAll('`', '')
      .split('; ')
      .filter((one) => one !== '–')
      .filter((one) => {
        const script = /^npm run ([\w:-]+)/.exec(one)?.[1];
        return script ? !(script in scripts) : !existsSync(join(ROOT, one));
      })
      .map((one) => `${id}: ${one}`),
  );
  expect(missing).toEqual([]);
});

test('each line says how it stands, and what is not built names no command', () => {
  for (const { id, command, state } of rows) {
    expect(STATES, id).toContain(state);
    expect(command === '–', id).toBe(state === 'not built');
  }
});
