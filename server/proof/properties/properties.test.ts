import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROPERTIES } from './all.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`properties: seed ${SEED}`);

test.each(PROPERTIES.map(({ name, of }) => [name, of] as const))('%s', async (_name, of) => {
  const found = await fc.check(of(), { seed: SEED, numRuns: 150 });
  const why = `${fc.defaultReportMessage(found)}\n${String(found.errorInstance)}`;
  expect(found.failed, why).toBe(false);
});
