import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';
import { expect, test } from 'vitest';
import { MUTANTS } from './list.ts';
import { configOf, sabotaged } from './mutant.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('no two mutants have one name, and none has one place and one replacement with another', () => {
  expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
  const changes = MUTANTS.map(({ file, pattern, replacement }) => `${file}\n${pattern}\n${replacement}`);
  expect(new Set(changes).size).toBe(MUTANTS.length);
});

test.each(MUTANTS)('$id finds its line once, changes it, and leaves a file that parses', (mutant) => {
  const source = read(mutant.file);
  const changed = sabotaged(source, mutant);
  expect(changed).not.toBe(source);
  expect(() => parseSync(changed, { syntax: 'typescript', target: 'es2022' })).not.toThrow();
});

test.each(MUTANTS)('$id names tests that are there, of one config', ({ tests }) => {
  expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(new Set(tests.map(configOf)).size).toBe(1);
});
