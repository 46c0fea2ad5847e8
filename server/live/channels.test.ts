import { afterEach, expect, test } from 'vitest';
import { openAnswers } from '#server/services/ask.ts';
import { openChannels } from './channels.ts';
import { openLiveMeasures } from './measures.ts';
import { ROW_BYTES } from './run-row.ts';
import { openScheduler } from './scheduler.ts';
import { countedQuery, note, openHandStates, silent } from './school.bench.ts';

const classroom = { id: 'c1', name: 'C', timezone: 'UTC', lessonAt: null };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function rosterOf(...ids: string[]) {
  return { classroom, students: ids.map((id) => ({ id, name: id })) };
}

function open() {
  const states = openHandStates();
  const scheduler = openScheduler();
  const answers = openAnswers({ clock: Date.now, log: silent });
  const { query, runs } = countedQuery();
  const subject = { module: 'test', query, params: undefined, maxRowBytes: ROW_BYTES };
  const measures = openLiveMeasures();
  const channels = openChannels({ states, answers, scheduler, clock: Date.now, log: silent, measures });
  closers.push(channels.close, scheduler.close, answers.close);
  return { states, channels, subject, runs };
}

test('a change wakes every channel that draws its student, also one who came later, and no other', async () => {
  const { states, channels, subject, runs } = open();
  const first = channels.join('first', subject, rosterOf('ada'));
  const second = channels.join('second', subject, rosterOf('bo'));
  await Promise.all([first.whenComplete(), second.whenComplete()]);
  states.set(note, 'ada', { words: 1, text: '' });
  await expect.poll(() => runs.get('ada'), { interval: 2 }).toBe(2);
  second.setRoster(rosterOf('bo', 'ada'));
  await expect.poll(() => runs.get('ada'), { interval: 2 }).toBe(3);
  await second.whenComplete();
  states.set(note, 'ada', { words: 2, text: '' });
  await expect.poll(() => runs.get('ada'), { interval: 2 }).toBe(5);
  first.setRoster(rosterOf('cy'));
  await first.whenComplete();
  states.set(note, 'ada', { words: 3, text: '' });
  await expect.poll(() => runs.get('ada'), { interval: 2 }).toBe(6);
  expect(runs.get('bo')).toBe(1);
});
