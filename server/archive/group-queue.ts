import type { AppendDone } from './archive.ts';
import type { Draft } from './entry.ts';
import { draftText, ENTRY_FRAME_BYTES, writeEntry } from './entry-text.ts';
import {
  GROUP_FRAME_BYTES,
  GROUP_HEADER_BYTES,
  GROUP_TAG_BYTES,
  MAX_ENTRY_BYTES,
  MAX_GROUP_BYTES,
} from './group.ts';

/** Appends that will be written together; `bytes` has room for the header in front and the tag behind. */
export type PendingGroup = {
  bytes: Buffer;
  length: number;
  first: number;
  drafts: Draft[];
  dones: AppendDone[];
  firsts: number[];
};

export type GroupQueue = {
  /** Encodes the drafts into the last group, or a new one. Else says why nothing of them is kept. */
  add(drafts: readonly Draft[], done: AppendDone): 'busy' | 'too-big' | null;
  /** The oldest group, to be written now; undefined when nothing waits. Its bytes count until `recycle`. */
  take(): PendingGroup | undefined;
  /** The group is dealt with: its buffer may be used again. */
  recycle(group: PendingGroup): void;
  /** Takes all groups out and begins again at this offset. */
  clear(next: number): PendingGroup[];
  /** Bytes that wait or are being written. */
  bytes(): number;
};

type Sizes = { readonly groupEntries: number; readonly groupBytes: number; readonly queueBytes: number };

const SPARE_BUFFERS = 3;
/** The group header counts entries in 16 bits. */
const MAX_ENTRIES = 65_535;

/** The archive's time never goes back. Changes the draft: the contract lets the archive set `t` and `o` alone. */
function raiseTime(draft: Draft, to: number): void {
  if (draft.t < to) (draft as { t: number }).t = to;
}

function makeRoom(group: PendingGroup, bytes: number): void {
  const needed = group.length + bytes + GROUP_TAG_BYTES;
  if (needed <= group.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(group.bytes.length * 2, MAX_GROUP_BYTES)));
  group.bytes.copy(larger, 0, 0, group.length);
  group.bytes = larger;
}

/**
 * Gathers appends while the disk is busy. An entry is encoded once, straight into the buffer that will be written, so
 * nothing is allocated per event but its JSON text.
 */
export function createGroupQueue(sizes: Sizes, start: { next: number; lastAt: number }): GroupQueue {
  const bufferBytes = sizes.groupBytes + GROUP_FRAME_BYTES;
  const roomBytes = sizes.groupBytes + GROUP_HEADER_BYTES;
  const spare: Buffer[] = [];
  const groups: PendingGroup[] = [];
  let next = start.next;
  let lastAt = start.lastAt;
  let queued = 0;

  function startGroup(): PendingGroup {
    const bytes = spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    const group = { bytes, length: GROUP_HEADER_BYTES, first: next, drafts: [], dones: [], firsts: [] };
    groups.push(group);
    return group;
  }

  /** The group that the next append goes to: the last one, unless it has its entries. */
  function groupFor(count: number): PendingGroup {
    const last = groups.at(-1);
    const isFull = !last || last.drafts.length + count > sizes.groupEntries;
    return isFull && last?.drafts.length !== 0 ? startGroup() : (last ?? startGroup());
  }

  /** Moves what one append has written so far into a group of its own, since appends are never split. */
  function moveOn(group: PendingGroup, mark: number, count: number): PendingGroup {
    const moved = startGroup();
    moved.drafts = group.drafts.splice(count);
    moved.first = next - moved.drafts.length;
    makeRoom(moved, group.length - mark);
    moved.length += group.bytes.copy(moved.bytes, moved.length, mark, group.length);
    group.length = mark;
    return moved;
  }

  function undo(group: PendingGroup, mark: number, count: number): void {
    next -= group.drafts.length - count;
    group.drafts.length = count;
    group.length = mark;
    if (count === 0) recycleBuffer(groups.pop());
  }

  function recycleBuffer(group: PendingGroup | undefined): void {
    if (group && group.bytes.length === bufferBytes && spare.length < SPARE_BUFFERS) spare.push(group.bytes);
  }

  function encode(group: PendingGroup, draft: Draft, text: string): void {
    group.length = writeEntry(group.bytes, group.length, next, text);
    group.drafts.push(draft);
    next += 1;
  }

  return {
    add(drafts, done) {
      if (queued >= sizes.queueBytes) return 'busy';
      if (drafts.length > MAX_ENTRIES) return 'too-big';
      let group = groupFor(drafts.length);
      let mark = group.length;
      let count = group.drafts.length;
      const first = next;
      for (const draft of drafts) {
        raiseTime(draft, lastAt);
        lastAt = draft.t;
        const text = draftText(draft);
        // Three bytes for each UTF-16 unit is the most that UTF-8 takes; counting them is left for when that is too many.
        if (group.length + ENTRY_FRAME_BYTES + text.length * 3 > roomBytes) {
          const bytes = ENTRY_FRAME_BYTES + Buffer.byteLength(text);
          if (group.length + bytes - mark > MAX_ENTRY_BYTES) {
            undo(group, mark, count);
            return 'too-big';
          }
          if (group.length + bytes > roomBytes && count > 0) {
            group = moveOn(group, mark, count);
            mark = GROUP_HEADER_BYTES;
            count = 0;
          }
          makeRoom(group, bytes);
        }
        encode(group, draft, text);
      }
      const size = group.length - mark;
      if (queued > 0 && queued + size > sizes.queueBytes) {
        undo(group, mark, count);
        return 'busy';
      }
      queued += size;
      group.dones.push(done);
      group.firsts.push(first);
      return null;
    },
    take: () => groups.shift(),
    recycle(group) {
      queued -= group.length - GROUP_HEADER_BYTES;
      recycleBuffer(group);
    },
    clear(from) {
      const dropped = groups.splice(0);
      for (const group of dropped) queued -= group.length - GROUP_HEADER_BYTES;
      next = from;
      return dropped;
    },
    bytes: () => queued,
  };
}
