import { isDeepStrictEqual } from 'node:util';
import type { Trouble } from '#modules/kit/index.ts';
import type { Delta, Json, Row, Splice } from './protocol.ts';

/** All that a dashboard is shown at one moment; immutable. `order` names the rows there are, in roster order. */
export type Snapshot = {
  readonly order: readonly string[];
  readonly rows: ReadonlyMap<string, Row>;
  readonly trouble: ReadonlyMap<string, Trouble>;
  readonly frame: Json | undefined;
};

export const EMPTY: Snapshot = { order: [], rows: new Map(), trouble: new Map(), frame: undefined };

/** What `{"$":[at,cut,""]}` costs more than a plain string. */
const SPLICE_BYTES = 20;

type Fields = { readonly [field: string]: Json | Splice };
type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type Changes = Omit<Delta, 'channel' | 'n' | 'at'>;

/** What a client that holds `before` needs to hold `after`; null when nothing differs. */
export function deltaOf(before: Snapshot, after: Snapshot): Changes | null {
  const changes: Changes = {
    ...rowChanges(before, after),
    ...orderChanges(before.order, after.order),
    ...troubleChanges(before.trouble, after.trouble),
    ...(after.frame !== undefined && !isDeepStrictEqual(before.frame, after.frame)
      ? { frame: after.frame }
      : {}),
  };
  return isEmpty(changes) ? null : changes;
}

function rowChanges(before: Snapshot, after: Snapshot): Pick<Changes, 'set' | 'unset'> {
  const set: Writable<NonNullable<Changes['set']>> = dictionary();
  const unset: Writable<NonNullable<Changes['unset']>> = dictionary();
  for (const id of after.order) {
    const row = after.rows.get(id);
    const old = before.rows.get(id);
    if (row === undefined || row === old) continue;
    const fields = old ? changedFields(old, row) : row;
    if (!isEmpty(fields)) set[id] = fields;
    const lost = old ? lostFields(old, row) : [];
    if (lost.length > 0) unset[id] = lost;
  }
  return { ...(isEmpty(set) ? {} : { set }), ...(isEmpty(unset) ? {} : { unset }) };
}

/**
 * For names that are other ones each time: V8 would make a hidden class for each list of them, which it keeps with what is old,
 * and no two deltas have the same.
 */
function dictionary<T extends object>(): T {
  return Object.create(null) as T;
}

/** Top-level fields of `after` that differ, deeply; a longer string as a splice where that is shorter. */
export function changedFields(before: Row, after: Row): Fields {
  const changed: Writable<Fields> = dictionary();
  for (const field in after) {
    const value = after[field] as Json;
    const old = Object.hasOwn(before, field) ? before[field] : undefined;
    if (old === value || isDeepStrictEqual(old, value)) continue;
    changed[field] = typeof old === 'string' && typeof value === 'string' ? splice(old, value) : value;
  }
  return changed;
}

function lostFields(before: Row, after: Row): string[] {
  const lost: string[] = [];
  for (const field in before) if (!Object.hasOwn(after, field)) lost.push(field);
  return lost;
}

function isEmpty(fields: object): boolean {
  for (const _ in fields) return false;
  return true;
}

/** Positions count UTF-16 units; a pair may be cut in two, since both halves arrive and join again. */
export function splice(before: string, after: string): string | Splice {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  let end = 0;
  while (
    end < most - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  )
    end += 1;
  const put = after.slice(start, after.length - end);
  if (put.length + SPLICE_BYTES >= after.length) return after;
  return { $: [start, before.length - end - start, put] };
}

function orderChanges(before: readonly string[], after: readonly string[]): Pick<Changes, 'gone' | 'order'> {
  if (before === after) return {};
  const stays = new Set(after);
  const gone = before.filter((id) => !stays.has(id));
  const left = before.filter((id) => stays.has(id));
  return {
    ...(gone.length > 0 ? { gone } : {}),
    ...(isDeepStrictEqual(left, after) ? {} : { order: after }),
  };
}

function troubleChanges(before: Snapshot['trouble'], after: Snapshot['trouble']): Pick<Changes, 'trouble'> {
  const changed: [string, Trouble | null][] = [];
  for (const [id, trouble] of after)
    if (!isDeepStrictEqual(before.get(id), trouble)) changed.push([id, trouble]);
  for (const id of before.keys()) if (!after.has(id)) changed.push([id, null]);
  return changed.length > 0 ? { trouble: Object.fromEntries(changed) } : {};
}
