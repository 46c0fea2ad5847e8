import { expect, test } from 'vitest';
import { measureDrops } from './soak-drops.ts';

test('everybody whose connection is cut comes back, not all at one moment, and nothing is lost', async () => {
  const { backMs, spreadMs, sent, faults } = await measureDrops(400, 3);
  console.log(`figure drops.back-max ${Math.round(Math.max(...backMs))} ms`);
  expect(faults).toEqual([]);
  expect(sent).toBe(400 * 3 * 2);
  expect(Math.max(...backMs)).toBeLessThan(30_000);
  expect(Math.min(...spreadMs)).toBeGreaterThan(200);
});
