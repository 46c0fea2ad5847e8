import type { Envelope } from '#modules/kit/index.ts';
import type { ArchivedEvent, Entry } from '#server/archive/entry.ts';
import type { StateKey } from '#server/state/state-key.ts';
import { emitting, type Heard, MOST_EVENTS } from './emitted.ts';
import { eventTime } from './event-time.ts';
import { Halting, haltOf } from './halting.ts';
import { growth } from './measure.ts';
import type { Folded, Listener, Plan } from './plan.ts';
import { addressOfEvent, type Cell, findCell, type HotStudent, keyFor, newCell } from './student.ts';

/** A state's largest size, in characters of its JSON, texts apart. */
export const MOST_CHARS = 4 * 1024 * 1024;
/** What an edit of a text makes dirty: about one path of its tree. And what any cell costs in a flush. */
const TEXT_BYTES = 1_536;
const CELL_BYTES = 200;

/** What a fold needs besides the student and the entry. */
export type Folding = {
  readonly plan: Plan;
  /** Told before each step, and with −1 after an entry, so that a watchdog can name the step that never ends. */
  readonly onStep: (reducer: number, offset: number, index: number) => void;
  /** A step that stopped the process too often: its key halts instead. */
  readonly isStuck: (folded: Folded, offset: number, index: number) => boolean;
  readonly onHalt: (folded: Folded, cell: Pick<Cell, 'halt'>) => void;
};

/** The entry's events have a student and can change states. */
export function isFolded(entry: Entry): entry is Entry & Required<Pick<Entry, 's' | 'ev' | 'src'>> {
  return entry.k === 'batch' && entry.s !== undefined && entry.ev !== undefined && entry.src !== undefined;
}

export function positionOf(offset: number, index: number): string {
  return `0:${offset}:${index}`;
}

/**
 * Applies one entry to its student's states, in memory, without a pause; gives the keys that it changed. Each of its
 * events runs its whole cascade, first in first out, listeners in order of reducer name. A step that fails halts its
 * key and nothing else.
 */
export function applyEntry(folding: Folding, student: HotStudent, entry: Entry): readonly StateKey[] {
  if (!isFolded(entry)) return [];
  const changed: Cell[] = [];
  for (let index = 0; index < entry.ev.length; index++) {
    const archived = entry.ev[index];
    if (archived) cascade(folding, student, entry, index, eventOf(entry, archived, index), changed);
  }
  return changed.map((cell) => cell.key);
}

/** The envelope comes last: nothing in a payload overrides it. */
export function eventOf(entry: Entry, archived: ArchivedEvent, index: number): Envelope {
  const event = {
    ...archived.body,
    id: `${entry.p}:${entry.e}:${(entry.f ?? 0) + index}`,
    source: entry.src ?? '',
    event: archived.event,
    student: entry.s ?? '',
    at: entry.t,
  } as { -readonly [Name in keyof Envelope]: Envelope[Name] };
  const sentAt = eventTime(archived.sentAt, entry.off, entry.t);
  if (sentAt !== undefined) event.sentAt = sentAt;
  else if ('sentAt' in event) delete event.sentAt;
  return event;
}

function cascade(
  folding: Folding,
  student: HotStudent,
  entry: Entry,
  index: number,
  event: Envelope,
  changed: Cell[],
): void {
  const queue: Heard[] = [{ event, hop: 0 }];
  for (let next = 0; next < queue.length; next++) {
    const heard = queue[next] as Heard;
    for (const listener of folding.plan.listeners(heard.event.source, heard.event.event)) {
      if (student.skips?.has(listener.folded)) continue;
      step(folding, student, entry.o, index, listener, heard, queue, changed);
    }
  }
}

function step(
  folding: Folding,
  student: HotStudent,
  offset: number,
  index: number,
  { folded, step: run }: Listener,
  heard: Heard,
  queue: Heard[],
  changed: Cell[],
): void {
  const address = addressFor(folded, heard.event);
  if (address === undefined) return;
  const cell = findCell(student, folded, address);
  if (cell?.halt) return;
  const before = cell ? cell.state : folded.reducer.initial;
  const { emitted, emit } = emitting(folded.reducer, heard, MOST_EVENTS + 1 - queue.length);
  folding.onStep(folded.index, offset, index);
  try {
    if (folding.isStuck(folded, offset, index))
      throw new Error('the step did not end: the process was stopped at it');
    const after = run(before, heard.event, emit);
    if (after !== before) {
      const { chars, text } = growth(after, before);
      const kept = cell ?? newCell(student, folded, address, keyFor(folded, student.id, heard.event));
      if (kept.chars + chars > MOST_CHARS)
        throw new Halting('too-big', `the state is larger than ${MOST_CHARS} characters`);
      student.bytes += 3 * chars + 2 * text;
      if (kept.isDirty) student.dirtyBytes += Math.max(chars, 0) + Math.abs(text);
      kept.state = after;
      kept.chars += chars;
      kept.text += text;
      touch(student, kept, offset, index, changed);
    }
    for (const one of emitted) queue.push(one);
  } catch (failure) {
    const kept =
      findCell(student, folded, address) ??
      newCell(student, folded, address, keyFor(folded, student.id, heard.event));
    kept.halt = haltOf(failure, positionOf(offset, index), heard.event.at);
    touch(student, kept, offset, index, changed);
    folding.onHalt(folded, kept);
  }
}

/** A key field that throws has no value: the reducer skips the event. */
function addressFor(folded: Folded, event: Envelope): string | undefined {
  try {
    return addressOfEvent(folded, event);
  } catch {
    return undefined;
  }
}

function touch(student: HotStudent, cell: Cell, offset: number, index: number, changed: Cell[]): void {
  if (cell.offset !== offset) changed.push(cell);
  cell.offset = offset;
  cell.index = index;
  if (cell.isDirty) return;
  cell.isDirty = true;
  student.dirty.push(cell);
  student.dirtyBytes += cell.chars + Math.min(cell.text, TEXT_BYTES) + CELL_BYTES;
}
