/** What takes turns: a channel. */
export type Turns = {
  /** The pieces of work of this turn, taken once at its start; each runs by itself and never rejects. */
  begin(): readonly (() => unknown)[];
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

export type SchedulerTime = {
  /** Monotonic, ms. */
  now(): number;
  after(ms: number, work: () => void): () => void;
  /** Resolves when everything that needs no outside answer has run. */
  settle(): Promise<void>;
};

/** A channel's next turn begins that much after the last at the earliest. */
const TURN_MS = 33;
const SLICE_MS = 8;
const LATE_MS = 2000;
/**
 * Of any second, rows get at most BURST + 1000 × SHARE + one slice = 498 ms; a row that runs longer than a slice is
 * paid back before the next begins.
 */
const BURST_MS = 40;
const SHARE = 0.45;

type Place = {
  readonly turns: Turns;
  isWanted: boolean;
  isQueued: boolean;
  lastBegan: number;
  left: (() => unknown)[] | null;
  isLate: boolean;
};

/**
 * Decides whose turn it is, for all channels together, round robin by slices: at once after a quiet period, at most
 * 30 turns a second each, later under load (wire.md part C).
 */
export function openScheduler(time: SchedulerTime = systemTime()): Scheduler {
  const places = new Map<Turns, Place>();
  const queue: Place[] = [];
  let credit = BURST_MS;
  let countedAt = time.now();
  let isRunning = false;
  let isClosed = false;
  let cancelLook = () => {};
  let isLooking = false;

  const placeOf = (turns: Turns): Place => {
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
  };
  const enqueue = (place: Place) => {
    if (isClosed || places.get(place.turns) !== place) return;
    place.isQueued = true;
    queue.push(place);
    if (!isRunning) void run();
  };
  const arrange = (place: Place) => {
    if (place.isQueued) return;
    place.isQueued = true;
    const wait = place.lastBegan + TURN_MS - time.now();
    if (wait <= 0) enqueue(place);
    else time.after(wait, () => enqueue(place));
  };
  const earn = () => {
    const now = time.now();
    credit = Math.min(BURST_MS, credit + (now - countedAt) * SHARE);
    countedAt = now;
  };

  /** One slice of one place: it goes to the end of the queue with what is left. */
  const slice = async (place: Place) => {
    const began = time.now();
    if (place.left === null) {
      place.lastBegan = began;
      place.isWanted = false;
      place.left = [...place.turns.begin()].reverse();
    }
    for (let work = place.left.pop(); work; work = place.left.pop()) {
      work();
      await time.settle();
      if (time.now() - began >= SLICE_MS) break;
    }
    if (place.left.length > 0) queue.push(place);
    else finish(place);
    credit -= time.now() - began;
  };
  const finish = (place: Place) => {
    place.left = null;
    place.isQueued = false;
    if (places.get(place.turns) !== place) return;
    checkLate(place);
    place.turns.end();
    if (place.isWanted) arrange(place);
  };
  const run = async () => {
    isRunning = true;
    // Not within the call that asked: changes that come together are one turn.
    await pause(0);
    for (let place = queue.shift(); place && !isClosed; place = queue.shift()) {
      if (places.get(place.turns) !== place) continue;
      earn();
      if (credit <= 0) await pause(-credit / SHARE + 1);
      if (places.get(place.turns) === place) await slice(place);
      if (queue.length > 0) await pause(0);
    }
    isRunning = false;
  };
  const pause = (ms: number) => new Promise<void>((resolve) => void time.after(ms, resolve));

  const checkLate = (place: Place) => {
    const since = place.turns.waitingSince();
    const isLate = since !== null && time.now() - since >= LATE_MS;
    if (isLate === place.isLate) return;
    place.isLate = isLate;
    place.turns.late(isLate ? time.now() - since : null);
  };
  const look = () => {
    isLooking = false;
    let next = Number.POSITIVE_INFINITY;
    for (const place of places.values()) {
      checkLate(place);
      const since = place.turns.waitingSince();
      if (since !== null) next = Math.min(next, place.isLate ? time.now() + LATE_MS : since + LATE_MS);
    }
    if (next < Number.POSITIVE_INFINITY) lookAfter(Math.max(1, next - time.now()));
  };
  const lookAfter = (ms: number) => {
    if (isLooking || isClosed) return;
    isLooking = true;
    cancelLook = time.after(ms, look);
  };

  return {
    want(turns) {
      const place = placeOf(turns);
      place.isWanted = true;
      arrange(place);
      lookAfter(LATE_MS);
    },
    now: time.now,
    drop(turns) {
      places.delete(turns);
    },
    close() {
      isClosed = true;
      cancelLook();
      places.clear();
      queue.length = 0;
    },
  };
}

function systemTime(): SchedulerTime {
  return {
    now: () => performance.now(),
    after(ms, work) {
      if (ms <= 0) {
        const soon = setImmediate(work);
        return () => clearImmediate(soon);
      }
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    // The next-tick queue is looked at again only when all promises that can go on have gone on.
    settle: () => new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve))),
  };
}
