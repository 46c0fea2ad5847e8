import { expect, test } from 'vitest';
import { openScheduler, type Turns } from './scheduler.ts';
import type { SchedulerTime } from './scheduler-time.ts';

/** A clock that a test moves; work that is due runs in its order, promises in between. */
function handClock() {
  let now = 0;
  let last = 0;
  const due: { readonly at: number; readonly id: number; readonly work: () => void }[] = [];
  const time: SchedulerTime = {
    now: () => now,
    after(ms, work) {
      last += 1;
      const entry = { at: now + Math.max(0, ms), id: last, work };
      due.push(entry);
      return () => void due.splice(due.indexOf(entry), 1);
    },
    settle: async () => {},
  };
  const calm = async () => {
    for (let i = 0; i < 20; i += 1) await null;
  };
  return {
    time,
    /** The loop is busy for so long. */
    spend(ms: number) {
      now += ms;
    },
    async until(end: number) {
      for (;;) {
        await calm();
        const next = due.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at || a.id - b.id)[0];
        if (!next) break;
        due.splice(due.indexOf(next), 1);
        now = Math.max(now, next.at);
        next.work();
      }
      now = Math.max(now, end);
    },
  };
}
type Hand = ReturnType<typeof handClock>;

/** A channel of rows that cost `rowMs` each, told what it may do and when it was done. */
function handTurns(hand: Hand, { rows = 1, rowMs = 0 } = {}) {
  const began: number[] = [];
  const ended: number[] = [];
  const lates: (number | null)[] = [];
  const ran: number[] = [];
  const state = { since: null as number | null };
  const turns: Turns = {
    begin() {
      began.push(hand.time.now());
      return Array.from({ length: rows }, () => () => {
        hand.spend(rowMs);
        ran.push(hand.time.now());
      });
    },
    end() {
      state.since = null;
      ended.push(hand.time.now());
    },
    waitingSince: () => state.since,
    late: (waited) => lates.push(waited),
  };
  return { turns, began, ended, lates, ran, state };
}

test('a change after a quiet period has its turn at once', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const { turns, began } = handTurns(hand);
  await hand.until(5000);
  scheduler.want(turns);
  await hand.until(5001);
  expect(began).toEqual([5000]);
});

test('changes that come together are one turn, and the next comes 33 ms later at the earliest', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const { turns, began } = handTurns(hand);
  for (let at = 0; at < 1000; at += 1) {
    scheduler.want(turns);
    scheduler.want(turns);
    await hand.until(at + 1);
  }
  const gaps = began.slice(1).map((at, i) => at - (began[i] ?? 0));
  expect(Math.min(...gaps)).toBe(33);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(34);
  expect(began.length).toBeGreaterThan(28);
});

test('a change during a turn gets a turn of its own', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const made = handTurns(hand);
  const begin = made.turns.begin;
  const turns: Turns = {
    ...made.turns,
    begin() {
      if (made.began.length === 0) hand.time.after(0, () => scheduler.want(turns));
      return begin();
    },
  };
  scheduler.want(turns);
  await hand.until(200);
  expect(made.began).toEqual([0, 33]);
});

test('of any second the rows of all channels get half of the time at most, in slices of 8 ms', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const channels = Array.from({ length: 5 }, () => handTurns(hand, { rows: 40, rowMs: 2 }));
  for (let at = 0; at < 6000; at += 5) {
    for (const { turns } of channels) scheduler.want(turns);
    await hand.until(at + 5);
  }
  const ran = channels.flatMap((channel) => channel.ran).toSorted((a, b) => a - b);
  for (const from of ran) {
    const inSecond = ran.filter((at) => at > from && at <= from + 1000).length * 2;
    expect(inSecond).toBeLessThanOrEqual(500);
  }
  expect(ran.filter((at) => at < 5000).length * 2).toBeGreaterThan(2000);
  const longest = ran.reduce(
    ({ length, most, last }, at) => {
      const next = at - last === 2 ? length + 2 : 2;
      return { length: next, most: Math.max(most, next), last: at };
    },
    { length: 0, most: 0, last: -1 },
  );
  // After a quiet time the credit lasts for some slices on end; other work comes between them all the same.
  expect(longest.most).toBeLessThanOrEqual(81);
});

test('between slices other work of the loop gets its turn', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const { turns, ran } = handTurns(hand, { rows: 20, rowMs: 2 });
  const others: number[] = [];
  scheduler.want(turns);
  for (let at = 1; at < 100; at += 1) hand.time.after(at, () => others.push(hand.time.now()));
  await hand.until(500);
  for (const other of others.slice(0, -1))
    expect(ran.filter((at) => at > other && at <= other + 8).length * 2).toBeLessThanOrEqual(8);
  expect(ran).toHaveLength(20);
});

test('a channel of heavy rows does not keep a small one waiting for its whole turn', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const heavy = handTurns(hand, { rows: 100, rowMs: 4 });
  const small = handTurns(hand);
  scheduler.want(heavy.turns);
  scheduler.want(small.turns);
  await hand.until(5000);
  expect(small.ended[0]).toBeLessThanOrEqual(8);
  expect(heavy.ended[0]).toBeGreaterThan(400);
});

test('a channel that waits 2 s is told so once, without a row being run, and once more when it is over', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const heavy = handTurns(hand, { rows: 1, rowMs: 2000 });
  const stuck = handTurns(hand);
  scheduler.want(heavy.turns);
  await hand.until(1);
  stuck.state.since = hand.time.now();
  scheduler.want(stuck.turns);
  await hand.until(4300);
  expect(stuck.lates).toHaveLength(1);
  expect(stuck.lates[0]).toBeGreaterThanOrEqual(2000);
  expect(stuck.ran).toEqual([]);
  await hand.until(20_000);
  expect(stuck.ran).toHaveLength(1);
  scheduler.want(stuck.turns);
  await hand.until(21_000);
  expect(stuck.lates).toEqual([expect.any(Number), null]);
});

test('a dropped channel has no turn any more, not even the rest of the one it is in', async () => {
  const hand = handClock();
  const scheduler = openScheduler(hand.time);
  const { turns, ran, ended } = handTurns(hand, { rows: 100, rowMs: 4 });
  scheduler.want(turns);
  await hand.until(1);
  scheduler.drop(turns);
  await hand.until(5000);
  expect(ran.length).toBeLessThanOrEqual(2);
  expect(ended).toEqual([]);
});
