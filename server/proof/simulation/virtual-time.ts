import { createRequire, syncBuiltinESMExports } from 'node:module';

/** What a task belongs to: with its end its tasks end, unrun. */
export type Life = { isAlive: boolean };

/**
 * A clock that stands still while anything runs, and jumps to the next task when all is quiet. One task at a time, in order
 * of time, then of being asked for; each runs to the end of all promises that it settles.
 */
export type VirtualTime = {
  /** Milliseconds since the run began. */
  now(): number;
  schedule(life: Life | null, ms: number, run: () => void): void;
  /** Resolves after so long; never, where the life ends before. */
  pass(life: Life | null, ms: number): Promise<void>;
  /** Runs tasks until `isOver`, or until none is left, or `untilMs` is reached. */
  run(isOver: () => boolean, untilMs: number): Promise<void>;
  steps(): number;
  /** Puts the real clock and timers back. */
  end(): void;
};

type Task = {
  at: number;
  order: number;
  readonly life: Life | null;
  readonly run: () => void;
  readonly everyMs: number;
  isCancelled: boolean;
};

const require = createRequire(import.meta.url);
const crypto: typeof import('node:crypto') = require('node:crypto');
const timersPromises: typeof import('node:timers/promises') = require('node:timers/promises');
const realSetImmediate = setImmediate;

const quiet = () => new Promise<void>((done) => realSetImmediate(done));

/**
 * Takes the place of the process's timers, of `performance.now`, `Math.random` and `randomBytes` until `end`: one run at a time.
 * `stepCostMs`: by how much the monotonic clock goes on each time it is read within a task, so that slices end in the middle.
 */
export function startVirtualTime(options: {
  readonly random: () => number;
  readonly stepCostMs: number;
}): VirtualTime {
  const queue = openQueue();
  let nowMs = 0;
  let reads = 0;
  let orders = 0;
  let steps = 0;
  let current: Life | null = null;

  function add(life: Life | null, ms: number, run: () => void, everyMs = 0): Task {
    orders += 1;
    const task = { at: nowMs + Math.max(0, ms), order: orders, life, run, everyMs, isCancelled: false };
    queue.push(task);
    return task;
  }

  function again(task: Task): void {
    orders += 1;
    task.at = nowMs + task.everyMs;
    task.order = orders;
    queue.push(task);
  }

  async function step(task: Task): Promise<void> {
    nowMs = Math.max(nowMs, task.at);
    reads = 0;
    steps += 1;
    current = task.life;
    task.run();
    await quiet();
    current = null;
    nowMs += reads * options.stepCostMs;
    reads = 0;
    if (task.everyMs > 0) again(task);
  }

  const restore = replaceTimers({
    later: (run, ms, everyMs) => add(current, ms, run, everyMs),
    monotonic: () => nowMs + reads++ * options.stepCostMs,
    random: options.random,
  });

  return {
    now: () => nowMs,
    schedule: (life, ms, run) => void add(life, ms, run),
    pass: (life, ms) => new Promise((done) => add(life, ms, done)),
    async run(isOver, untilMs) {
      while (!isOver()) {
        const task = queue.peek();
        if (!task || task.at > untilMs) return;
        queue.pop();
        if (!task.isCancelled && task.life?.isAlive !== false) await step(task);
      }
    },
    steps: () => steps,
    end: restore,
  };
}

type Replacement = {
  readonly later: (run: () => void, ms: number, everyMs: number) => Task;
  readonly monotonic: () => number;
  readonly random: () => number;
};

/** What `setTimeout` gives: the server calls `unref` on it, and clears it. */
function handleOf(task: Task) {
  const handle = { task, ref: () => handle, unref: () => handle, hasRef: () => true };
  return handle;
}

function cancel(handle: unknown): void {
  if (typeof handle === 'object' && handle !== null && 'task' in handle)
    (handle.task as Task).isCancelled = true;
}

type Callback = (...args: unknown[]) => void;

function replaceTimers({ later, monotonic, random }: Replacement): () => void {
  const real = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
  const realRandom = Math.random;
  const realBytes = crypto.randomBytes;
  const realTurn = timersPromises.setImmediate;
  Object.assign(globalThis, {
    setTimeout: (run: Callback, ms = 1, ...args: unknown[]) =>
      handleOf(later(() => run(...args), Math.max(1, Number(ms) || 1), 0)),
    setInterval: (run: Callback, ms = 1, ...args: unknown[]) =>
      handleOf(later(() => run(...args), Math.max(1, Number(ms)), Math.max(1, Number(ms)))),
    setImmediate: (run: Callback, ...args: unknown[]) => handleOf(later(() => run(...args), 0, 0)),
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: cancel,
  });
  performance.now = monotonic;
  Math.random = random;
  const bytesOf = (size: number) => Buffer.from(Array.from({ length: size }, () => random() * 256));
  Object.assign(crypto, { randomBytes: bytesOf });
  Object.assign(timersPromises, {
    setImmediate: () => new Promise<void>((done) => later(done, 0, 0)),
  });
  syncBuiltinESMExports();
  return () => {
    Object.assign(globalThis, real);
    Reflect.deleteProperty(performance, 'now');
    Math.random = realRandom;
    Object.assign(crypto, { randomBytes: realBytes });
    Object.assign(timersPromises, { setImmediate: realTurn });
    syncBuiltinESMExports();
  };
}

/** A binary heap, the earliest task on top. */
function openQueue() {
  const heap: Task[] = [];
  const isBefore = (a: Task, b: Task) => a.at < b.at || (a.at === b.at && a.order < b.order);
  const at = (i: number) => heap[i] as Task;
  const swap = (i: number, j: number) => {
    const kept = at(i);
    heap[i] = at(j);
    heap[j] = kept;
  };
  return {
    peek: () => heap[0],
    push(task: Task) {
      let i = heap.push(task) - 1;
      for (let up = (i - 1) >> 1; i > 0 && isBefore(at(i), at(up)); i = up, up = (i - 1) >> 1) swap(i, up);
    },
    pop() {
      const last = heap.pop();
      if (!last || heap.length === 0) return;
      heap[0] = last;
      for (let i = 0; ; ) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < heap.length && isBefore(at(child), at(least))) least = child;
        if (least === i) return;
        swap(i, least);
        i = least;
      }
    },
  };
}
