import type { Entry } from '#server/archive/entry.ts';
import { type StateKey, stateKey } from '#server/state/state-key.ts';
import { sizeOf } from './measure.ts';
import type { Folded, Plan } from './plan.ts';
import type { Halt } from './states.ts';
import type { SavedTexts } from './text-nodes.ts';

/** One state in memory. `offset:index` is the position of the last event that changed it. */
export type Cell = {
  readonly key: StateKey;
  /** By the further fields of the scope (see `addressOf`). */
  readonly address: string;
  readonly folded: Folded;
  state: unknown;
  /** See `Size` of measure.ts. */
  chars: number;
  text: number;
  offset: number;
  index: number;
  halt: Halt | null;
  /** Changed since the last flush began. */
  isDirty: boolean;
  /** What of its texts is in the store; null: nothing. */
  saved: SavedTexts | null;
};

/** A student whose states are in memory. */
export type HotStudent = {
  readonly id: string;
  /** By index of the reducer in the plan. Most have one state of a student: only those with more have a map, by address. */
  readonly cells: (Cell | Map<string, Cell> | undefined)[];
  /** By index, too: the key of a state that a row asked for and that is not there. Of reducers that have one of a student. */
  readonly absent: (StateKey | undefined)[];
  dirty: Cell[];
  /** Estimated bytes that a flush would write. */
  dirtyBytes: number;
  /** Reducers that have folded all that was applied; undefined until the first entry. */
  folded: ReadonlySet<Folded>;
  /** True when what the store knows of `folded` is not this. */
  isMarkDirty: boolean;
  /** Reducers that are being folded again, and do not step meanwhile. */
  skips: ReadonlySet<Folded> | null;
  /** While `skips` are folded again: what was applied since that began. */
  tail: Entry[] | null;
  /** Fields in the store that nothing reads any more. */
  dead: string[];
  /** Estimated bytes. */
  bytes: number;
  used: number;
  /** In a flush that is not answered yet. */
  isFlushing: boolean;
};

const CELL_BYTES = 350;
const STUDENT_BYTES = 600;

export function newStudent(id: string, plan: Plan): HotStudent {
  return {
    id,
    cells: new Array(plan.all.length).fill(undefined),
    absent: [],
    dirty: [],
    dirtyBytes: 0,
    folded: plan.whole,
    isMarkDirty: true,
    skips: null,
    tail: null,
    dead: [],
    bytes: STUDENT_BYTES,
    used: 0,
    isFlushing: false,
  };
}

/** The cell of a reducer at an address (see `addressOf`); made, with the initial state, where there is none. */
export function newCell(student: HotStudent, folded: Folded, address: string, key: StateKey): Cell {
  const size = sizeOf(folded.reducer.initial);
  const cell: Cell = {
    key: flat(key),
    address,
    folded,
    state: folded.reducer.initial,
    chars: size.chars,
    text: size.text,
    offset: -1,
    index: 0,
    halt: null,
    isDirty: false,
    saved: null,
  };
  putCell(student, cell);
  return cell;
}

/** The key of a reducer's one state of a student that has none: rows ask for it with each of their runs. */
export function absentKey(student: HotStudent, folded: Folded): StateKey {
  const known = student.absent[folded.index];
  if (known !== undefined) return known;
  const key = flat(stateKey(folded.reducer, { student: student.id }));
  student.absent[folded.index] = key;
  return key;
}

/** The same characters, written anew: a sum in V8 is made of its parts, each of them an object, for as long as it lives. */
function flat(key: StateKey): StateKey {
  return Buffer.from(key).toString();
}

export function putCell(student: HotStudent, cell: Cell): void {
  const { index } = cell.folded;
  const held = student.cells[index];
  if (held instanceof Map) held.set(cell.address, cell);
  else if (held === undefined || held.address === cell.address) student.cells[index] = cell;
  else student.cells[index] = new Map([held, cell].map((one) => [one.address, one]));
  student.bytes += bytesOf(cell);
}

export function bytesOf(cell: Cell): number {
  return CELL_BYTES + cell.key.length + 3 * cell.chars + 2 * cell.text;
}

export function findCell(student: HotStudent, folded: Folded, address: string): Cell | undefined {
  const held = student.cells[folded.index];
  if (held instanceof Map) return held.get(address);
  return held?.address === address ? held : undefined;
}

export function cellsOf(student: HotStudent, folded: Folded): Iterable<Cell> {
  const held = student.cells[folded.index];
  if (held instanceof Map) return held.values();
  return held ? [held] : [];
}

export function* allCells(student: HotStudent): Iterable<Cell> {
  for (const held of student.cells) {
    if (held instanceof Map) yield* held.values();
    else if (held) yield held;
  }
}

type Fields = Readonly<Record<string, string>>;

/** Where a state of a reducer is found within its student; cheap for the usual scopes of one or two fields. */
export function addressOf(folded: Folded, fields: Fields): string {
  const { further } = folded;
  const [first] = further;
  if (!first) return '';
  if (further.length === 1) return fields[first.name] ?? '';
  return further.map(({ name }) => encodeURIComponent(fields[name] ?? '')).join(':');
}

/** The scope's further fields of an event; undefined when it lacks one: the reducer skips the event. */
export function fieldsOfEvent(folded: Folded, event: any): Record<string, string> | undefined {
  const fields: Record<string, string> = {};
  for (const field of folded.further) {
    const value = field.from(event);
    if (typeof value !== 'string') return undefined;
    fields[field.name] = value;
  }
  return fields;
}

/** As `addressOf` of `fieldsOfEvent`, without an object in between where the scope has at most one further field. */
export function addressOfEvent(folded: Folded, event: any): string | undefined {
  const { further } = folded;
  if (further.length === 0) return '';
  if (further.length > 1) {
    const fields = fieldsOfEvent(folded, event);
    return fields && addressOf(folded, fields);
  }
  const value = further[0]?.from(event);
  return typeof value === 'string' ? value : undefined;
}

export function keyFor(folded: Folded, student: string, event: any): StateKey {
  return stateKey(folded.reducer, { ...fieldsOfEvent(folded, event), student });
}
