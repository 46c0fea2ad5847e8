import { AppError, type RefusedCode } from '#server/errors.ts';
import type { AppendDone } from './archive.ts';
import type { Draft, Entry } from './entry.ts';
import { isFull, writeAll } from './file-system.ts';
import { completeGroup } from './group.ts';
import type { GroupQueue, PendingGroup } from './group-queue.ts';
import type { ArchiveMeasures } from './measures.ts';
import type { OpenSegment } from './open-segment.ts';
import type { Syncs } from './syncs.ts';

export type WriterOptions = {
  readonly queue: GroupQueue;
  readonly groupBytes: number;
  readonly queueBytes: number;
  readonly sealBytes: number;
  readonly fence: number;
  readonly clock: () => number;
  readonly measures: ArchiveMeasures;
  readonly syncs: Syncs;
  readonly segment: OpenSegment;
  /** Makes the segment that begins at `first`; called between two groups. */
  readonly nextSegment: (first: number) => Promise<OpenSegment>;
  /** A segment that gets no more entries. */
  readonly onClosed: (segment: OpenSegment) => Promise<void>;
  /** Every durable group, after its `done`s. */
  readonly onDurable: (entries: readonly Entry[]) => void;
  /** Nothing is known of the disk any more; the process has to end with exit code 74. */
  readonly onFatal: (error: unknown) => void;
};

export type Writer = {
  append(drafts: readonly Draft[], done: AppendDone): void;
  pressure(): number;
  refusing(): RefusedCode | null;
  end(): number;
  segment(): OpenSegment;
  /**
   * Closes the open segment, if it has entries, before the next group is written. Rejects with `disk-full` where there
   * is no room for the next one, and once the disk has failed.
   */
  roll(): Promise<void>;
  /** Refuses for lack of room, or no longer. */
  setFull(isFull: boolean): void;
  /** Refuses from now on; resolves once what is queued has been answered and the open segment is closed. */
  close(): Promise<void>;
  /** Stops without a word to anyone. */
  fail(error: unknown): void;
};

/** A group of this size, or a full one, does not wait for more. */
const EAGER_BYTES = 128 * 1024;

type State = {
  readonly options: WriterOptions;
  segment: OpenSegment;
  isRunning: boolean;
  /** A start is due at the end of this turn. */
  isArranged: boolean;
  isFull: boolean;
  isClosing: boolean;
  failure: unknown;
  /** When the last group was begun; `performance.now()`. */
  beganAt: number;
  readonly rolls: PromiseWithResolvers<void>[];
};

/**
 * Group commit (delivery.md §6): one group is written and synced while the next one gathers. Nothing in here awaits, or
 * allocates, per event.
 */
export function createWriter(options: WriterOptions): Writer {
  const { queue, segment } = options;
  const flags = { isRunning: false, isArranged: false, isFull: false, isClosing: false };
  const state: State = { options, segment, ...flags, failure: undefined, beganAt: -Infinity, rolls: [] };
  let closed: Promise<void> | undefined;
  return {
    append(drafts, done) {
      const refused = refusal(state);
      if (refused) return done(refused, -1);
      if (drafts.length === 0) return done(null, state.segment.end);
      const why = queue.add(drafts, done);
      if (why) return done(why === 'busy' ? 'busy' : 'archive-failed', -1);
      // In a turn that reads thousands of sockets the group on its way would else wait for the last of them.
      options.syncs.hear();
      wake(state);
    },
    pressure: () => queue.bytes() / options.queueBytes,
    refusing: () => refusal(state),
    end: () => state.segment.end,
    segment: () => state.segment,
    roll: () => roll(state),
    setFull(isNowFull) {
      state.isFull = isNowFull;
    },
    close() {
      state.isClosing = true;
      closed ??= roll(state);
      return closed;
    },
    fail: (error) => fail(state, error),
  };
}

function fail(state: State, error: unknown): void {
  if (state.failure !== undefined) return;
  state.failure = error ?? new Error('unknown');
  for (const waiting of state.rolls.splice(0)) waiting.reject(state.failure);
  state.options.onFatal(error);
}

function refusal(state: State): RefusedCode | null {
  if (state.failure !== undefined) return 'archive-failed';
  if (state.isClosing) return 'not-ready';
  return state.isFull ? 'disk-full' : null;
}

/**
 * Usually after this turn's sockets were read: what came in together goes out together; where groups follow each other
 * closely, a little later. A turn in which thousands of sockets are read would keep all of it in memory until its end, so
 * that a group of some size waits for neither.
 */
function wake(state: State): void {
  if (state.isRunning) return;
  if (isPressing(state)) {
    start(state);
    return;
  }
  if (state.isArranged) return;
  state.isArranged = true;
  const begin = () => {
    state.isArranged = false;
    if (!state.isRunning) start(state);
  };
  const waitMs = state.options.syncs.spaceMs - (performance.now() - state.beganAt);
  if (waitMs > 0) setTimeout(begin, waitMs);
  else setImmediate(begin);
}

function isPressing({ options }: State): boolean {
  return options.queue.bytes() >= Math.min(EAGER_BYTES, options.groupBytes);
}

function start(state: State): void {
  state.isRunning = true;
  void run(state);
}

function roll(state: State): Promise<void> {
  const waiting = Promise.withResolvers<void>();
  if (state.failure !== undefined) waiting.reject(state.failure);
  else {
    state.rolls.push(waiting);
    wake(state);
  }
  return waiting.promise;
}

async function run(state: State): Promise<void> {
  const { queue } = state.options;
  try {
    do {
      const group = queue.take();
      if (group) await write(state, group);
      if (isRollDue(state)) await startNext(state);
    } while (state.failure === undefined && (state.rolls.length > 0 || isPressing(state)));
  } catch (error) {
    fail(state, error);
  }
  state.isRunning = false;
  if (state.failure === undefined && queue.bytes() > 0) wake(state);
}

async function write(state: State, group: PendingGroup): Promise<void> {
  const { segment, options } = state;
  state.beganAt = performance.now();
  const { bytes, first } = group;
  const at = options.clock();
  const entries = group.drafts.length;
  const length = completeGroup(bytes, group.length, { entries, first, fence: options.fence, at });
  try {
    await writeAll(segment.file, bytes.subarray(0, length), segment.bytes);
  } catch (error) {
    if (!isFull(error)) throw error;
    await segment.file.truncate(segment.bytes);
    await segment.file.datasync();
    return refuseAll(state, group);
  }
  const since = performance.now();
  await options.syncs.sync(segment.file);
  count(options.measures, { ms: performance.now() - since, entries, bytes: length });
  segment.bytes += length;
  segment.end = first + entries;
  segment.startedAt ??= at;
  options.queue.recycle(group);
  answer(state, group);
}

function count(
  measures: ArchiveMeasures,
  group: { readonly ms: number; readonly entries: number; readonly bytes: number },
): void {
  measures.syncMs.note(group.ms);
  measures.groupEntries.note(group.entries);
  measures.groups += 1;
  measures.entries += group.entries;
  measures.bytes += group.bytes;
}

/** Answers all that waits, with nothing of it in the archive; offsets begin again behind the last durable one. */
function refuseAll(state: State, group: PendingGroup): void {
  const { queue } = state.options;
  state.isFull = true;
  const groups = [group, ...queue.clear(state.segment.end)];
  queue.recycle(group);
  for (const { dones } of groups) for (const done of dones) done('disk-full', -1);
}

/** The drafts become entries by their offset: the contract lets the archive set `o`, and whoever hears them reads them. */
function answer(state: State, group: PendingGroup): void {
  const entries = group.drafts as Entry[];
  let offset = group.first;
  for (const entry of entries) {
    (entry as { o: number }).o = offset;
    offset += 1;
  }
  for (let i = 0; i < group.dones.length; i += 1) group.dones[i]?.(null, group.firsts[i] ?? group.first);
  state.options.onDurable(entries);
}

function isRollDue({ segment, options, rolls, isClosing }: State): boolean {
  if (segment.bytes >= options.sealBytes) return true;
  return rolls.length > 0 && (!isClosing || options.queue.bytes() === 0);
}

/** Begins a new file. A full disk leaves the old one in use: the next look at the free space tries again. */
async function startNext(state: State): Promise<void> {
  const { options, segment, rolls } = state;
  const waiting = rolls.length;
  if (state.isClosing && options.queue.bytes() === 0) await options.onClosed(segment);
  else if (segment.end > segment.first) {
    try {
      state.segment = await options.nextSegment(segment.end);
    } catch (error) {
      if (!isFull(error)) throw error;
      state.isFull = true;
      const reason = new AppError('disk-full', 'there is no room for a new segment: make some', {
        cause: error,
      });
      for (const failed of rolls.splice(0, waiting)) failed.reject(reason);
      return;
    }
    await options.onClosed(segment);
  }
  for (const done of rolls.splice(0, waiting)) done.resolve();
}
