import { afterEach, expect, test } from 'vitest';
import { type Conservation, watchConservation } from './conservation.ts';
import { openCounter } from './ingest/counts.ts';

let open: Conservation | undefined;
afterEach(() => open?.close());

function watch(everyMs = 1_000_000) {
  const counter = openCounter();
  const flight = { socket: 0, 'learning-observer': 0, http: 0 };
  const errors: Record<string, unknown>[] = [];
  const log = { info() {}, warn() {}, error: (fields: Record<string, unknown>) => void errors.push(fields) };
  open = watchConservation({ counts: counter.snapshot, flight: () => flight, log, everyMs });
  return { counter, flight, errors, conservation: open };
}

test('what is in flight is no difference, and neither is any of the five ends', () => {
  const { counter, flight, conservation, errors } = watch();
  counter.received('socket', 7);
  flight.socket = 2;
  for (const end of ['stored', 'duplicate', 'bad', 'declined', 'refused'] as const)
    counter.ended('socket', end, 1);
  conservation.check();
  conservation.check();
  expect(conservation.difference()).toBe(0);
  expect(errors).toEqual([]);
});

test('an event that has no end is logged with its edge once it is missing at two looks', () => {
  const { counter, conservation, errors } = watch();
  counter.received('http', 3);
  counter.ended('http', 'stored', 1);
  conservation.check();
  expect(errors).toEqual([]);
  conservation.check();
  expect(errors).toEqual([{ edge: 'http', count: 2 }]);
  expect(conservation.difference()).toBe(2);
});

test('looks by itself, over and over', async () => {
  const { counter, errors } = watch(2);
  counter.received('socket', 1);
  await expect.poll(() => errors.length, { interval: 2 }).toBeGreaterThan(1);
});

test('an event that ended twice on one edge does not hide one that never ended on another', () => {
  const { counter, conservation } = watch();
  counter.received('http', 1);
  counter.ended('socket', 'stored', 1);
  expect(conservation.difference()).toBe(2);
});

test('a difference that goes away is not logged', () => {
  const { counter, conservation, errors } = watch();
  counter.received('socket', 1);
  conservation.check();
  counter.ended('socket', 'stored', 1);
  conservation.check();
  expect(errors).toEqual([]);
});
