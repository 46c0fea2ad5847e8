import { afterEach, expect, test } from 'vitest';
import { openAnswers } from '#server/services/ask.ts';
import { stateKey } from '#server/state/state-key.ts';
import { openChannel } from './channel.ts';
import { openLiveMeasures } from './measures.ts';
import { ROW_BYTES } from './run-row.ts';
import { openScheduler } from './scheduler.ts';
import { type SchedulerTime, settle } from './scheduler-time.ts';
import { countedQuery, note, openHandStates, silent } from './school.bench.ts';

const classroom = { id: 'c1', name: 'C', timezone: 'UTC', lessonAt: null };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A second of the scheduler is a tenth of a real one. */
const hasty: SchedulerTime = {
  now: () => performance.now() * 10,
  after(ms, work) {
    const timer = setTimeout(work, ms / 10);
    return () => clearTimeout(timer);
  },
  settle,
};

async function open() {
  const measures = openLiveMeasures();
  const states = openHandStates();
  const scheduler = openScheduler(hasty);
  const answers = openAnswers({ clock: Date.now, log: silent });
  const { query, runs } = countedQuery();
  const subject = { module: 'test', query, params: undefined, maxRowBytes: ROW_BYTES };
  const students = ['ada', 'bo'].map((id) => ({ id, name: id }));
  const parts = { states, ask: answers.ask, scheduler, clock: Date.now, log: silent, measures };
  const channel = openChannel(subject, { classroom, students }, parts);
  closers.push(channel.close, scheduler.close, answers.close);
  await channel.whenComplete();
  return { measures, states, channel, runs };
}

test('a row is timed from the receipt of what changed it to its publishing, and each run is counted', async () => {
  const { measures, states, channel, runs } = await open();
  const receipts = () => measures.rowMs.snapshot();
  expect(receipts().sum).toBe(0);
  const changed = new Promise<void>((done) => channel.onChange(done));
  states.set(note, 'ada', { words: 3, text: '' });
  channel.wake('ada', [stateKey(note, { student: 'ada' })], Date.now() - 400);
  await changed;
  // The listeners are told first: what is measured includes the way to the sockets.
  await expect.poll(() => receipts().counts.reduce((sum, count) => sum + count, 0), { interval: 2 }).toBe(1);
  expect(receipts().sum).toBeGreaterThanOrEqual(400);
  expect(measures.rowsRun).toBe([...runs.values()].reduce((sum, count) => sum + count, 0));
});

test('a channel counts as delayed while a change waits over 2 s, and no longer once it is closed', async () => {
  const { measures, states, channel } = await open();
  states.hold(new Promise(() => {}));
  channel.wake('ada', [stateKey(note, { student: 'ada' })], Date.now());
  await expect.poll(() => measures.delayed, { interval: 5 }).toBe(1);
  channel.close();
  expect(measures.delayed).toBe(0);
});
