import { isText, type Text, type TextNode } from '#modules/kit/text.ts';
import type { Loaded, StudentWrites } from '#server/state/state-store.ts';
import { sizeOf } from './measure.ts';
import type { Plan } from './plan.ts';
import type { Halt } from './states.ts';
import { addressOf, type Cell, type HotStudent, newStudent, putCell } from './student.ts';
import {
  changesOf,
  commitTexts,
  loadText,
  noTexts,
  type SavedTexts,
  type TextChanges,
  type TextCommit,
} from './text-nodes.ts';

/** The field that says which reducers folded the student; every student of whom an entry was applied has it. */
const MARK = '#';

/** A state's field, under its key. `p` position · `s` state, each text as `{ "$text": <node id> }` · `n` next node id · `h` halt. */
type Stored = { readonly p: string; readonly s: unknown; readonly n?: number; readonly h?: Halt };
type Mark = { readonly build: string; readonly folded: readonly string[] };

export type Persisting = {
  readonly writes: StudentWrites;
  /** For `commit`, once the writes are in the store. */
  readonly commits: readonly Commit[];
};
export type Commit = { readonly cell: Cell; readonly texts: TextCommit };

/** One state as it was when its student was cut; states are immutable, so this is all a snapshot needs. */
type Snapshot = {
  readonly cell: Cell;
  readonly state: unknown;
  readonly offset: number;
  readonly index: number;
  readonly halt: Halt | null;
};
export type StudentCut = {
  readonly student: HotStudent;
  readonly cells: readonly Cell[];
  /** Of the cells, in turn; let go once they have become text. */
  snapshots: readonly Snapshot[];
  readonly mark: string | null;
  readonly dead: readonly string[];
};

/** What of a student is to be written, as of now; the student counts as clean from here on, until something steps again. */
export function cutOf(student: HotStudent, plan: Plan): StudentCut {
  const { dirty: cells, dead } = student;
  const snapshots = cells.map((cell) => {
    cell.isDirty = false;
    const { state, offset, index, halt } = cell;
    return { cell, state, offset, index, halt };
  });
  const mark = student.isMarkDirty ? markText(student, plan) : null;
  student.dirty = [];
  student.dirtyBytes = 0;
  student.isMarkDirty = false;
  student.dead = [];
  return { student, cells, snapshots, mark, dead };
}

/** The cut's flush failed: all of it is dirty again. */
export function uncut({ student, cells, mark, dead }: StudentCut): void {
  for (const cell of cells) {
    if (cell.isDirty) continue;
    cell.isDirty = true;
    student.dirty.push(cell);
    student.dirtyBytes += cell.chars;
  }
  if (mark !== null) student.isMarkDirty = true;
  student.dead = [...dead, ...student.dead];
}

function markText(student: HotStudent, plan: Plan): string {
  const folded = plan.all.filter((one) => student.folded.has(one)).map((one) => one.name);
  return JSON.stringify({ build: plan.build, folded } satisfies Mark);
}

/** A field per state and a field per new text node; nodes that nothing reaches any more go. The snapshots are let go. */
export function writesOf(cut: StudentCut): Persisting {
  const set: [string, string][] = [];
  const del: string[] = [];
  const commits: Commit[] = [];
  for (const one of cut.snapshots) addWrites(one, set, del, commits);
  cut.snapshots = [];
  if (cut.mark !== null) set.push([MARK, cut.mark]);
  // Of one text no id comes back; a state that is folded anew begins with the ids of the one that is dead.
  if (cut.dead.length > 0) del.push(...cut.dead.filter(isNotIn(set)));
  return { writes: { student: cut.student.id, set, del }, commits };
}

function addWrites(one: Snapshot, set: [string, string][], del: string[], commits: Commit[]): void {
  const { cell } = one;
  const plain = plainText(one);
  if (plain !== null) {
    set.push([cell.key, plain]);
    return;
  }
  const texts = textsIn(one.state);
  const hasTexts = texts.length > 0 || cell.saved !== null;
  const changes = hasTexts ? changesOf(cell.saved ?? noTexts(), texts) : null;
  for (const [id, json] of changes?.set ?? []) set.push([nodeField(cell, id), json]);
  for (const id of changes?.del ?? []) del.push(nodeField(cell, id));
  set.push([cell.key, storedText(one, changes)]);
  if (changes) commits.push({ cell, texts: changes.commit });
}

/** What was written is in the store. */
export function commit({ cell, texts }: Commit): void {
  commitTexts(texts);
  cell.saved = texts.saved;
}

function isNotIn(set: readonly (readonly [string, string])[]): (field: string) => boolean {
  const names = new Set(set.map(([field]) => field));
  return (field) => !names.has(field);
}

function nodeField(cell: Cell, id: string): string {
  return `${cell.key}#${id}`;
}

/** The same as `storedText` of a state that never held a text, which is most of them, in one go; else null. */
function plainText({ cell, state, offset, index, halt }: Snapshot): string | null {
  if (cell.saved !== null || cell.text !== 0 || halt !== null) return null;
  const json = JSON.stringify(state);
  // A text without a character, or one of before this cut.
  if (json === undefined || json.includes('"$text":')) return null;
  return `{"p":"0:${offset}:${index}","s":${json}}`;
}

function storedText(snapshot: Snapshot, changes: TextChanges | null): string {
  const stored: Stored = {
    p: `0:${snapshot.offset}:${snapshot.index}`,
    s: changes ? withIds(snapshot.state, changes.idOf) : snapshot.state,
    ...(changes ? { n: changes.nextId } : {}),
    ...(snapshot.halt ? { h: snapshot.halt } : {}),
  };
  return JSON.stringify(stored);
}

/** The state with the id of its node in the place of each text; what has none is shared. */
function withIds(state: unknown, idOf: TextChanges['idOf']): unknown {
  if (typeof state !== 'object' || state === null) return state;
  if (isText(state)) return { $text: idOf(state) };
  let copy: Record<string, unknown> | null = null;
  for (const name in state) {
    const value = (state as Record<string, unknown>)[name];
    const named = withIds(value, idOf);
    if (named === value) continue;
    copy ??= (Array.isArray(state) ? [...state] : { ...state }) as Record<string, unknown>;
    copy[name] = named;
  }
  return copy ?? state;
}

/** Every text inside a state, in the order of the state's JSON. */
export function textsIn(state: unknown): readonly Text[] {
  const texts: Text[] = [];
  const visit = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) for (let i = 0; i < value.length; i++) visit(value[i]);
    else if (isText(value)) texts.push(value);
    else for (const name in value) visit((value as Record<string, unknown>)[name]);
  };
  visit(state);
  return texts;
}

/**
 * A student from the store's fields. States of reducers that are not in the plan, or that `isKept` refuses, are left
 * out and their fields marked dead. Throws where a field is not what was written: then the store is not to be believed.
 */
export function studentFrom(id: string, loaded: Loaded, plan: Plan): HotStudent {
  const student = newStudent(id, plan);
  const mark = loaded.fields.get(MARK);
  if (mark === undefined) return student;
  const { build, folded } = JSON.parse(mark) as Mark;
  const known = folded.flatMap((name) => plan.byName(name) ?? []);
  const missing = plan.withFed(plan.all.filter((one) => !known.includes(one)));
  if (missing.size > 0) student.folded = new Set(known.filter((one) => !missing.has(one)));
  student.isMarkDirty = build !== plan.build || student.folded.size !== folded.length;
  student.skips = missing.size > 0 ? missing : null;
  for (const [field, value] of loaded.fields) {
    if (field === MARK) continue;
    const folded = plan.byName(field.slice(0, endOfName(field)));
    if (!folded || !student.folded.has(folded)) student.dead.push(field);
    else if (!field.includes('#')) putCell(student, cellFrom(field, value, folded, loaded));
  }
  return student;
}

function endOfName(field: string): number {
  const end = field.indexOf(':');
  return end < 0 ? field.length : end;
}

/** The fields that a key names, decoded. */
export function fieldsOfKey(key: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of key.split(':').slice(1)) {
    const at = part.indexOf('=');
    fields[part.slice(0, at)] = decodeURIComponent(part.slice(at + 1));
  }
  return fields;
}

function cellFrom(key: string, value: string, folded: Cell['folded'], loaded: Loaded): Cell {
  const stored = JSON.parse(value) as Stored;
  const saved = stored.n === undefined ? null : { ...noTexts(), nextId: stored.n };
  const state = saved ? withTexts(stored.s, saved, (id) => loaded.fields.get(`${key}#${id}`)) : stored.s;
  const { chars, text } = sizeOf(state);
  const [, offset = -1, index = 0] = stored.p.split(':').map(Number);
  const halt = stored.h ?? null;
  const address = addressOf(folded, fieldsOfKey(key));
  return { key, address, folded, state, chars, text, offset, index, halt, isDirty: false, saved };
}

/** Puts the texts back in their places, in place: the value was parsed a moment ago. */
function withTexts(state: unknown, saved: SavedTexts, jsonOf: (id: string) => string | undefined): unknown {
  const byId = new Map<string, TextNode>();
  const roots: TextNode[] = [];
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (isText(value)) {
      const root = loadText(saved, byId, String(value.$text), jsonOf);
      roots.push(root);
      return { $text: root };
    }
    const holder = value as Record<string, unknown>;
    for (const name in holder) holder[name] = visit(holder[name]);
    return value;
  };
  const whole = visit(state);
  saved.roots = roots;
  return whole;
}
