import type { Query, Student } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import { type Answers, openAnswers } from '#server/services/ask.ts';
import { type Channel, openChannel } from './channel.ts';
import { ROW_BYTES } from './run-row.ts';
import { openScheduler, type Scheduler } from './scheduler.ts';
import { type SchedulerTime, settle } from './scheduler-time.ts';
import { type HandStates, openHandStates, silent } from './school.bench.ts';

export const classroom = { id: 'c1', name: 'C', timezone: 'UTC', lessonAt: null };
export const named = (...ids: string[]): Student[] => ids.map((id) => ({ id, name: id.toUpperCase() }));

const closers: (() => void)[] = [];
/** Closes what `channelOf` opened; to be called after each test. */
export function closeChannels(): void {
  for (const close of closers.splice(0)) close();
}

type Made = { channel: Channel; states: HandStates; answers: Answers; scheduler: Scheduler };

/** A second of the scheduler is a tenth of a real one. */
export const HASTE = 10;
const hasty: SchedulerTime = {
  now: () => performance.now() * HASTE,
  after(ms, work) {
    const timer = setTimeout(work, ms / HASTE);
    return () => clearTimeout(timer);
  },
  settle,
};

/** A channel of one class whose rows have all run once, or are known to be late. */
export async function channelOf(
  query: Query,
  ids = ['ada', 'bo'],
  {
    log = silent,
    held = null,
    time = hasty,
  }: { readonly log?: Log; readonly held?: Promise<void> | null; readonly time?: SchedulerTime } = {},
): Promise<Made> {
  const states = openHandStates();
  states.hold(held);
  const scheduler = openScheduler(time);
  const answers = openAnswers({ clock: Date.now, log });
  const subject = { module: 'test', query, params: undefined, maxRowBytes: ROW_BYTES };
  const parts = { states, ask: answers.ask, scheduler, clock: Date.now, log };
  const channel = openChannel(subject, { classroom, students: named(...ids) }, parts);
  states.onChange((student, keys) => channel.wake(student, keys));
  answers.onChange((key) => channel.wakeAny(key));
  closers.push(channel.close, scheduler.close, answers.close);
  await channel.whenComplete();
  return { channel, states, answers, scheduler };
}

/** The next change that is told. */
export const changed = (channel: Channel) =>
  new Promise<void>((resolve) => {
    const stop = channel.onChange(() => {
      stop();
      resolve();
    });
  });

export const rowOf = (channel: Channel, id: string) => channel.snapshot().rows.get(id);
