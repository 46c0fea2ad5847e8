import { type Budget, openBudget } from './budget.ts';
import { type SchedulerTime, systemTime } from './scheduler-time.ts';

/** What takes turns: a channel. */
export type Turns = {
  /** The pieces of work of this turn, taken once at its start; each runs by itself and never rejects. */
  begin(): readonly (() => void)[];
  /** All pieces were started and have done what they can without waiting for the outside. */
  end(): void;
  /** Since when the oldest change waits for its row, ms of the scheduler's clock; null when none does. */
  waitingSince(): number | null;
  /** Called once when a change has waited for 2 s, with how long, ms; with null when that is over. */
  late(waitedMs: number | null): void;
};

export type Scheduler = {
  /** Asks for a turn; more calls before it begins are one. */
  want(turns: Turns): void;
  /** Monotonic, ms: what `waitingSince` counts in. */
  now(): number;
  drop(turns: Turns): void;
  close(): void;
};

/** A channel's next turn begins that much after the last at the earliest. */
const TURN_MS = 33;
const SLICE_MS = 8;
const LATE_MS = 2000;

/** One channel's place. `left`: what is still to be started of the turn it is in, the next piece last. */
type Place = {
  readonly turns: Turns;
  isWanted: boolean;
  /** From the moment it is arranged until its turn has ended. */
  isQueued: boolean;
  lastBegan: number;
  left: (() => void)[] | null;
  isLate: boolean;
};
type Core = {
  readonly time: SchedulerTime;
  readonly budget: Budget;
  readonly places: Map<Turns, Place>;
  readonly queue: Place[];
  isRunning: boolean;
  isClosed: boolean;
  cancelLook: (() => void) | null;
};

/**
 * Decides whose turn it is, for all channels together, round robin by slices of 8 ms: at once after a quiet period, at
 * most 30 turns a second each, later under load (wire.md part C).
 */
export function openScheduler(time: SchedulerTime = systemTime()): Scheduler {
  const core: Core = {
    time,
    budget: openBudget(time.now),
    places: new Map(),
    queue: [],
    isRunning: false,
    isClosed: false,
    cancelLook: null,
  };
  return {
    want(turns) {
      if (core.isClosed) return;
      const place = placeOf(core, turns);
      place.isWanted = true;
      arrange(core, place);
      lookAfter(core, LATE_MS);
    },
    now: time.now,
    drop: (turns) => void core.places.delete(turns),
    close() {
      core.isClosed = true;
      core.cancelLook?.();
      core.places.clear();
      core.queue.length = 0;
    },
  };
}

function placeOf({ places }: Core, turns: Turns): Place {
  const found = places.get(turns);
  if (found) return found;
  const place: Place = {
    turns,
    isWanted: false,
    isQueued: false,
    lastBegan: -TURN_MS,
    left: null,
    isLate: false,
  };
  places.set(turns, place);
  return place;
}

/** False once the channel was dropped, even if it came back since. */
function isThere({ places }: Core, place: Place): boolean {
  return places.get(place.turns) === place;
}

function arrange(core: Core, place: Place): void {
  if (place.isQueued) return;
  place.isQueued = true;
  const wait = place.lastBegan + TURN_MS - core.time.now();
  if (wait <= 0) enqueue(core, place);
  else core.time.after(wait, () => enqueue(core, place));
}

function enqueue(core: Core, place: Place): void {
  if (core.isClosed || !isThere(core, place)) return;
  core.queue.push(place);
  if (!core.isRunning) void run(core);
}

async function run(core: Core): Promise<void> {
  core.isRunning = true;
  // Not within the call that asked: changes that come together are one turn.
  await pause(core, 0);
  for (let place = core.queue.shift(); place; place = core.queue.shift()) {
    const owedMs = core.budget.owedMs();
    if (owedMs > 0) await pause(core, owedMs);
    if (isThere(core, place)) await slice(core, place);
    if (core.queue.length > 0) await pause(core, 0);
  }
  core.isRunning = false;
}

function pause({ time }: Core, ms: number): Promise<void> {
  return new Promise((resolve) => void time.after(ms, resolve));
}

/** A part of a turn; with what is left the place goes to the end of the queue. */
async function slice(core: Core, place: Place): Promise<void> {
  const { time } = core;
  const began = time.now();
  const left = place.left ?? begin(place, began);
  for (let work = left.pop(); work; work = left.pop()) {
    work();
    await time.settle();
    if (time.now() - began >= SLICE_MS) break;
  }
  if (left.length > 0) core.queue.push(place);
  else finish(core, place);
  core.budget.spend(time.now() - began);
}

function begin(place: Place, now: number): (() => void)[] {
  place.lastBegan = now;
  place.isWanted = false;
  place.left = place.turns.begin().toReversed();
  return place.left;
}

function finish(core: Core, place: Place): void {
  place.left = null;
  place.isQueued = false;
  if (!isThere(core, place)) return;
  checkLate(core, place);
  place.turns.end();
  if (place.isWanted) arrange(core, place);
}

function checkLate({ time }: Core, place: Place): void {
  const since = place.turns.waitingSince();
  const waitedMs = since === null ? 0 : time.now() - since;
  const isLate = waitedMs >= LATE_MS;
  if (isLate === place.isLate) return;
  place.isLate = isLate;
  place.turns.late(isLate ? waitedMs : null);
}

/** Looks for late channels when the next one could be, for as long as anything waits. */
function look(core: Core): void {
  core.cancelLook = null;
  const now = core.time.now();
  let next = Number.POSITIVE_INFINITY;
  for (const place of core.places.values()) {
    checkLate(core, place);
    const since = place.turns.waitingSince();
    if (since !== null) next = Math.min(next, place.isLate ? now + LATE_MS : since + LATE_MS);
  }
  if (next < Number.POSITIVE_INFINITY) lookAfter(core, Math.max(1, next - now));
}

function lookAfter(core: Core, ms: number): void {
  if (core.isClosed) return;
  core.cancelLook ??= core.time.after(ms, () => look(core));
}
