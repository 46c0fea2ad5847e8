import { expect, test } from 'vitest';
import { measureBacklog } from './soak-backlog.ts';

const EVENTS = 6_000;

test('a device that was offline for hours is emptied at the rate of catching up, whole and in order', async () => {
  const { drainedMs, p99, faults } = await measureBacklog(EVENTS);
  console.log(`figure backlog.drained ${Math.round(drainedMs)} ms`);
  console.log(`figure backlog.others ${(p99.during / p99.before).toFixed(2)} of-${p99.before.toFixed(1)}-ms`);
  expect(faults).toEqual([]);
  // No faster than 1,000 a second after the first burst, and not much slower.
  expect(drainedMs).toBeGreaterThan(((EVENTS - 1_400) / 1_000) * 900);
  expect(drainedMs).toBeLessThan(20_000);
});
