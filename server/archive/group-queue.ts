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

type State = {
  readonly sizes: Sizes;
  readonly spare: Buffer[];
  readonly groups: PendingGroup[];
  next: number;
  lastAt: number;
  queued: number;
};

/** Where one append began in its group, so that it can be moved or taken back. */
type Mark = { group: PendingGroup; length: number; count: number };

/**
 * Gathers appends while the disk is busy. An entry is encoded once, straight into the buffer that will be written, so
 * nothing is allocated per event but its JSON text.
 */
export function createGroupQueue(sizes: Sizes, start: { next: number; lastAt: number }): GroupQueue {
  const state: State = { sizes, spare: [], groups: [], queued: 0, ...start };
  return {
    add: (drafts, done) => add(state, drafts, done),
    take: () => state.groups.shift(),
    recycle(group) {
      state.queued -= group.length - GROUP_HEADER_BYTES;
      keepBuffer(state, group);
    },
    clear(from) {
      const dropped = state.groups.splice(0);
      for (const group of dropped) state.queued -= group.length - GROUP_HEADER_BYTES;
      state.next = from;
      return dropped;
    },
    bytes: () => state.queued,
  };
}

function add(state: State, drafts: readonly Draft[], done: AppendDone): 'busy' | 'too-big' | null {
  const { sizes } = state;
  if (state.queued >= sizes.queueBytes) return 'busy';
  if (drafts.length > MAX_ENTRIES) return 'too-big';
  const group = groupFor(state, drafts.length);
  const mark: Mark = { group, length: group.length, count: group.drafts.length };
  const first = state.next;
  for (const draft of drafts) if (!encode(state, mark, draft)) return undo(state, mark, 'too-big');
  const size = mark.group.length - mark.length;
  if (state.queued > 0 && state.queued + size > sizes.queueBytes) return undo(state, mark, 'busy');
  state.queued += size;
  mark.group.dones.push(done);
  mark.group.firsts.push(first);
  return null;
}

/** Writes one draft into the append's group, or its append into a larger or another one; false where no group holds it. */
function encode(state: State, mark: Mark, draft: Draft): boolean {
  raiseTime(draft, state.lastAt);
  state.lastAt = draft.t;
  const text = draftText(draft);
  const roomBytes = state.sizes.groupBytes + GROUP_HEADER_BYTES;
  // Three bytes for each UTF-16 unit is the most that UTF-8 takes; counting them is left for when that is too many.
  if (mark.group.length + ENTRY_FRAME_BYTES + text.length * 3 > roomBytes) {
    const bytes = ENTRY_FRAME_BYTES + Buffer.byteLength(text);
    if (mark.group.length + bytes - mark.length > MAX_ENTRY_BYTES) return false;
    if (mark.group.length + bytes > roomBytes && mark.count > 0) moveOn(state, mark);
    makeRoom(mark.group, bytes);
  }
  const { group } = mark;
  group.length = writeEntry(group.bytes, group.length, state.next, text);
  group.drafts.push(draft);
  state.next += 1;
  return true;
}

function startGroup(state: State): PendingGroup {
  const bytes = state.spare.pop() ?? Buffer.allocUnsafeSlow(state.sizes.groupBytes + GROUP_FRAME_BYTES);
  const group = { bytes, length: GROUP_HEADER_BYTES, first: state.next, drafts: [], dones: [], firsts: [] };
  state.groups.push(group);
  return group;
}

/** The group that the next append goes to: the last one, unless it has its entries. */
function groupFor(state: State, count: number): PendingGroup {
  const last = state.groups.at(-1);
  if (!last) return startGroup(state);
  const isFull = last.drafts.length > 0 && last.drafts.length + count > state.sizes.groupEntries;
  return isFull ? startGroup(state) : last;
}

/** Moves what one append has written so far into a group of its own, since appends are never split. */
function moveOn(state: State, mark: Mark): void {
  const { group, length, count } = mark;
  const moved = startGroup(state);
  moved.drafts = group.drafts.splice(count);
  moved.first = state.next - moved.drafts.length;
  makeRoom(moved, group.length - length);
  moved.length += group.bytes.copy(moved.bytes, moved.length, length, group.length);
  group.length = length;
  Object.assign(mark, { group: moved, length: GROUP_HEADER_BYTES, count: 0 });
}

/** Takes an append back as if it had not been made. */
function undo<Why>(state: State, { group, length, count }: Mark, why: Why): Why {
  state.next -= group.drafts.length - count;
  group.drafts.length = count;
  group.length = length;
  if (count === 0) {
    state.groups.pop();
    keepBuffer(state, group);
  }
  return why;
}

function keepBuffer({ spare, sizes }: State, { bytes }: PendingGroup): void {
  if (bytes.length === sizes.groupBytes + GROUP_FRAME_BYTES && spare.length < SPARE_BUFFERS)
    spare.push(bytes);
}
