import type { RefusedCode } from '#server/errors.ts';
import type { AppendDone } from './archive.ts';
import type { Draft, Entry } from './entry.ts';
import { isFull, writeAll } from './file-system.ts';
import { completeGroup } from './group.ts';
import type { GroupQueue, PendingGroup } from './group-queue.ts';
import type { OpenSegment } from './open-segment.ts';

export type WriterOptions = {
  readonly queue: GroupQueue;
  readonly queueBytes: number;
  readonly sealBytes: number;
  readonly fence: number;
  readonly clock: () => number;
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
  /** Closes the open segment, if it has entries, before the next group is written. Rejects once the disk has failed. */
  roll(): Promise<void>;
  /** Refuses for lack of room, or no longer. */
  setFull(isFull: boolean): void;
  /** Refuses from now on; resolves once what is queued has been answered and the open segment is closed. */
  close(): Promise<void>;
  /** Stops without a word to anyone. */
  fail(error: unknown): void;
};

/**
 * Group commit (delivery.md §6): one group is written and synced while the next one gathers. Nothing in here awaits, or
 * allocates, per event.
 */
export function createWriter(options: WriterOptions): Writer {
  const { queue } = options;
  let segment = options.segment;
  let isRunning = false;
  let isFullDisk = false;
  let isClosing = false;
  let failure: unknown;
  const rolls: PromiseWithResolvers<void>[] = [];

  function fail(error: unknown): void {
    if (failure !== undefined) return;
    failure = error ?? new Error('unknown');
    for (const roll of rolls.splice(0)) roll.reject(failure);
    options.onFatal(error);
  }

  function refusing(): RefusedCode | null {
    if (failure !== undefined) return 'archive-failed';
    if (isClosing) return 'not-ready';
    return isFullDisk ? 'disk-full' : null;
  }

  /** Answers all that waits, with nothing of it in the archive; offsets begin again behind the last durable one. */
  function refuseAll(group: PendingGroup): void {
    isFullDisk = true;
    const groups = [group, ...queue.clear(segment.end)];
    queue.recycle(group);
    for (const { dones } of groups) for (const done of dones) done('disk-full', -1);
  }

  function answer(group: PendingGroup): void {
    const entries = group.drafts as Entry[];
    let offset = group.first;
    for (const entry of entries) {
      (entry as { o: number }).o = offset;
      offset += 1;
    }
    for (let i = 0; i < group.dones.length; i += 1) group.dones[i]?.(null, group.firsts[i] ?? group.first);
    options.onDurable(entries);
  }

  async function write(group: PendingGroup): Promise<void> {
    const { fence } = options;
    const at = options.clock();
    const length = completeGroup(group.bytes, group.length, {
      entries: group.drafts.length,
      first: group.first,
      fence,
      at,
    });
    try {
      await writeAll(segment.file, group.bytes.subarray(0, length), segment.bytes);
    } catch (error) {
      if (!isFull(error)) throw error;
      await segment.file.truncate(segment.bytes);
      await segment.file.datasync();
      return refuseAll(group);
    }
    await segment.file.datasync();
    segment.bytes += length;
    segment.end = group.first + group.drafts.length;
    segment.startedAt ??= at;
    queue.recycle(group);
    answer(group);
  }

  /** Begins a new file. A full disk leaves the old one in use: the next look at the free space tries again. */
  async function startNext(): Promise<void> {
    const waiting = rolls.length;
    if (isClosing && queue.bytes() === 0) await options.onClosed(segment);
    else if (segment.end > segment.first) {
      try {
        const next = await options.nextSegment(segment.end);
        const closed = segment;
        segment = next;
        await options.onClosed(closed);
      } catch (error) {
        if (!isFull(error)) throw error;
        isFullDisk = true;
      }
    }
    for (const roll of rolls.splice(0, waiting)) roll.resolve();
  }

  function isRollDue(): boolean {
    if (segment.bytes >= options.sealBytes) return true;
    return rolls.length > 0 && (!isClosing || queue.bytes() === 0);
  }

  async function run(): Promise<void> {
    try {
      while (failure === undefined) {
        const group = queue.take();
        if (group) await write(group);
        else if (rolls.length === 0) break;
        if (isRollDue()) await startNext();
      }
    } catch (error) {
      fail(error);
    }
    isRunning = false;
  }

  function wake(): void {
    if (isRunning) return;
    isRunning = true;
    // After this turn's sockets were read: what came in together goes out together.
    setImmediate(() => void run());
  }

  return {
    append(drafts, done) {
      const refused = refusing();
      if (refused) return done(refused, -1);
      if (drafts.length === 0) return done(null, segment.end);
      const why = queue.add(drafts, done);
      if (why) return done(why === 'busy' ? 'busy' : 'archive-failed', -1);
      wake();
    },
    pressure: () => queue.bytes() / options.queueBytes,
    refusing,
    end: () => segment.end,
    segment: () => segment,
    roll() {
      const roll = Promise.withResolvers<void>();
      if (failure !== undefined) roll.reject(failure);
      else {
        rolls.push(roll);
        wake();
      }
      return roll.promise;
    },
    setFull(value) {
      isFullDisk = value;
    },
    close() {
      isClosing = true;
      return this.roll();
    },
    fail,
  };
}
