import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CASES, NOT_BUILT } from './cases.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** How many cases each part of the wire's description has. */
const PARTS = { A: 31, B: 10, C: 5, D: 3 } as const;

test('every conformance case has its place, once', () => {
  const ids = Object.entries(PARTS).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, i) => `${part}${String(i + 1).padStart(2, '0')}`),
  );
  expect([...CASES.map(({ id }) => id), ...NOT_BUILT].toSorted()).toEqual(ids);
});

test('every case stands in the name of a test of each file that is said to hold it', () => {
  const missing = CASES.flatMap(({ id, tests }) =>
    tests
      .filter((file) => !namesOf(file).some((name) => name.split(' ').includes(id)))
      .map((file) => `${id} in ${file}`),
  );
  expect(missing).toEqual([]);
});

test('every case that a test names is one of the table', () => {
  const files = new Set(CASES.flatMap(({ tests }) => tests));
  const unknown = [...files].flatMap((file) =>
    namesOf(file)
      .flatMap((name) => name.match(/\b[A-D]\d\d\b/g) ?? [])
      .filter((id) => !CASES.some((known) => known.id === id && known.tests.includes(file)))
      .map((id) => `${id} in ${file}`),
  );
  expect(unknown).toEqual([]);
});

/** The names of a file's tests, with that of the group they stand in where it names a case. */
function namesOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/\b(?:it|test|describe)\(\s*(['"`])(.*?)\1,/g)].map(([, , name = '']) => name);
}
