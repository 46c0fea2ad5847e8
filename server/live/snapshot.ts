import { isDeepStrictEqual } from 'node:util';
import type { Classroom, Trouble } from '#modules/kit/index.ts';
import type { ChannelSubject, Roster } from './channel.ts';
import type { Snapshot } from './delta.ts';
import type { Json, Row } from './protocol.ts';
import type { Seat } from './seat.ts';

/** The same object when nothing differs. Rows not yet run are shown, as *delayed*, only when the channel is late. */
export function takeSnapshot(
  subject: ChannelSubject,
  { classroom, students }: Roster,
  seats: ReadonlyMap<string, Seat>,
  {
    lateSince,
    last,
    now,
  }: { readonly lateSince: number | null; readonly last: Snapshot; readonly now: number },
): Snapshot {
  const rows = new Map<string, Row>();
  const trouble = new Map<string, Trouble>();
  for (const { id } of students) {
    const place = seats.get(id);
    if (!place || !(place.hasRun || lateSince !== null)) continue;
    rows.set(id, place.row);
    if (place.trouble) trouble.set(id, place.trouble);
  }
  if (lateSince !== null) trouble.set('*', { code: 'delayed', since: lateSince });
  const frame = takeFrame(subject, classroom, rows, last);
  if (frame.hasFailed && lateSince === null) trouble.set('*', failedFrame(last, now));
  const order = isOrder(last.order, rows) ? last.order : [...rows.keys()];
  const next: Snapshot = { order, rows, trouble, frame: frame.value };
  return isSame(last, next) ? last : next;
}

function takeFrame(
  { query, params }: ChannelSubject,
  classroom: Classroom,
  rows: ReadonlyMap<string, Row>,
  last: Snapshot,
): { readonly value: Json | undefined; readonly hasFailed?: true } {
  if (!query.frame) return { value: undefined };
  const complete = [...rows.values()].filter(isComplete);
  try {
    const value = JSON.parse(
      JSON.stringify(query.frame({ classroom, params, rows: complete }) ?? null),
    ) as Json;
    return { value: isDeepStrictEqual(value, last.frame) ? last.frame : value };
  } catch {
    return { value: last.frame, hasFailed: true };
  }
}

/** A row that has not run yet has its student alone. */
function isComplete(row: Row): boolean {
  for (const field in row) if (field !== 'student') return true;
  return false;
}

function failedFrame(last: Snapshot, now: number): Trouble {
  const known = last.trouble.get('*');
  return known?.code === 'unavailable' ? known : { code: 'unavailable', since: now };
}

function isOrder(order: readonly string[], rows: ReadonlyMap<string, Row>): boolean {
  let at = 0;
  for (const id of rows.keys()) if (order[at++] !== id) return false;
  return at === order.length;
}

function isSame(a: Snapshot, b: Snapshot): boolean {
  if (a.frame !== b.frame || a.order !== b.order || !isDeepStrictEqual(a.trouble, b.trouble)) return false;
  return b.order.every((id) => a.rows.get(id) === b.rows.get(id));
}
