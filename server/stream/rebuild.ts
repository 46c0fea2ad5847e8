import type { Archive } from '#server/archive/archive.ts';
import { applyEntry, type Folding } from './apply.ts';
import type { Folded } from './plan.ts';
import { allCells, type Cell, cellsOf, type HotStudent, newStudent, putCell } from './student.ts';

/**
 * Folds a student's entries below `to` once more, into fresh states beside the live ones: those of `some` reducers
 * and of all whose emits these hear. `pause` is called between slices.
 */
export async function foldAgain(options: {
  readonly archive: Archive;
  readonly folding: Folding;
  readonly student: string;
  readonly some: Iterable<Folded>;
  readonly to: number;
  readonly pause: () => Promise<void>;
}): Promise<HotStudent> {
  const { archive, folding, student, some, to, pause } = options;
  const shadow = newStudent(student, folding.plan);
  const takes = folding.plan.withFeeders(some);
  shadow.skips = new Set(folding.plan.all.filter((one) => !takes.has(one)));
  let since = performance.now();
  for await (const entries of archive.readStudent(student, to)) {
    for (const entry of entries) {
      applyEntry(folding, shadow, entry);
      if (performance.now() - since < 8) continue;
      await pause();
      since = performance.now();
    }
  }
  return shadow;
}

/**
 * Puts the states that were folded again in the place of the live ones. No flush may be on its way meanwhile. Gives
 * the cells that are new.
 */
export function takeOver(
  student: HotStudent,
  shadow: HotStudent,
  some: ReadonlySet<Folded>,
): readonly Cell[] {
  const fresh: Cell[] = [];
  for (const folded of some) {
    const gone = new Map([...cellsOf(student, folded)].map((cell) => [cell.address, cell]));
    student.cells[folded.index] = undefined;
    for (const cell of cellsOf(shadow, folded)) {
      cell.saved = gone.get(cell.address)?.saved ?? null;
      cell.isDirty = true;
      putCell(student, cell);
      fresh.push(cell);
      gone.delete(cell.address);
    }
    for (const cell of gone.values()) student.dead.push(...fieldsOf(cell));
  }
  student.dirty = student.dirty.filter((cell) => !some.has(cell.folded)).concat(fresh);
  student.dirtyBytes += fresh.reduce((sum, cell) => sum + cell.chars + cell.text, 0);
  return fresh;
}

/** What the store holds of a cell: its state and its texts' nodes. */
function fieldsOf(cell: Cell): readonly string[] {
  const fields = [cell.key];
  const nodes = cell.saved ? Number(cell.saved.nextId) : 0;
  for (let id = 0; id < nodes; id++) fields.push(`${cell.key}#${id.toString(36)}`);
  return fields;
}

/** Every state of a student as it is compared: key, position, canonical JSON. */
export function pictureOf(student: HotStudent): ReadonlyMap<string, string> {
  const picture = new Map<string, string>();
  for (const cell of allCells(student)) {
    const { state, halt, offset, index } = cell;
    const halted = halt && { code: halt.code, position: halt.position };
    picture.set(cell.key, canonical({ state, halted, offset, index }));
  }
  return picture;
}

/** Keys that the two do not hold alike, in order. */
export function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): readonly string[] {
  const keys = new Set([...a.keys(), ...b.keys()]);
  return [...keys].filter((key) => a.get(key) !== b.get(key)).sort((x, y) => (x < y ? -1 : 1));
}

/** JSON with the properties of every object in order of name. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries);
  });
}
