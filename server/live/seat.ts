import { isDeepStrictEqual } from 'node:util';
import type { Student, Trouble } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import type { StateKey } from '#server/state/state-key.ts';
import type { ChannelSubject } from './channel.ts';
import type { Row } from './protocol.ts';
import type { RowResult } from './run-row.ts';

/** One student's place in a channel. `dirtySince`, `runningSince`: the scheduler's clock. A row is never run twice at a time. */
export type Seat = {
  student: Student;
  row: Row;
  hasRun: boolean;
  trouble: Trouble | null;
  /** What the last run read. */
  keys: readonly StateKey[];
  /** How many keys the run under way has read as the last one did, and from the first other one on all that it has read. */
  readAgain: number;
  reading: StateKey[] | null;
  dirtySince: number | null;
  runningSince: number | null;
  /** When the oldest change that waits for its row was received; server clock. */
  receivedAt: number | null;
};

/** `now`: the server's clock; `since`: the scheduler's. */
export function openSeat(student: Student, now: number, since: number): Seat {
  return {
    student,
    row: { student: { id: student.id, name: student.name } },
    hasRun: false,
    trouble: { code: 'delayed', since: now },
    keys: [],
    readAgain: 0,
    reading: null,
    dirtySince: since,
    runningSince: null,
    receivedAt: null,
  };
}

export function hasRead({ keys, reading }: Seat, key: StateKey): boolean {
  return keys.includes(key) || reading?.includes(key) === true;
}

/** Notes what the run under way is about to read. */
export function noteRead(place: Seat, key: StateKey): void {
  if (place.reading) place.reading.push(key);
  else if (place.keys[place.readAgain] === key) place.readAgain += 1;
  else place.reading = [...place.keys.slice(0, place.readAgain), key];
}

export function waitingSince(seats: Iterable<Seat>): number | null {
  let oldest: number | null = null;
  for (const { dirtySince, runningSince } of seats) {
    const since = runningSince ?? dirtySince;
    if (since !== null && (oldest === null || since < oldest)) oldest = since;
  }
  return oldest;
}

/** Keeps the last good row when there is no new one, and its identity when nothing changed. */
export function finishRow(place: Seat, result: RowResult, onTrouble: (reason: string) => void): void {
  if (place.reading) place.keys = place.reading;
  else if (place.readAgain < place.keys.length) place.keys = place.keys.slice(0, place.readAgain);
  place.readAgain = 0;
  place.reading = null;
  place.runningSince = null;
  place.hasRun = true;
  if (result.row) place.row = sharing(place.row, result.row);
  const { trouble = null } = result;
  const isKnown = trouble !== null && trouble.code === place.trouble?.code;
  if (isKnown && trouble.code === 'unavailable') return;
  if (!isKnown && trouble !== null) onTrouble(result.reason ?? trouble.code);
  place.trouble = trouble;
}

/** The new row, changed in place: every field that says the same as before in its old identity. The old row where all do. */
function sharing(before: Row, now: Row): Row {
  const row: { -readonly [Name in keyof Row]: Row[Name] } = now;
  let isEqual = true;
  let count = 0;
  for (const name in row) {
    count += 1;
    const old = before[name];
    const value = row[name];
    if (old === value) continue;
    if (isDeepStrictEqual(old, value)) row[name] = old as Row[string];
    else isEqual = false;
  }
  for (const _ in before) count -= 1;
  return isEqual && count === 0 ? before : row;
}

export function logTrouble(log: Log, { module, query }: ChannelSubject, place: Seat, reason: string): void {
  const fields = { module, query: query.name, student: place.student.id, reason };
  if (reason === 'too-big') log.error(fields, 'a row is over its size and is not sent');
  else log.warn(fields, 'a row is in trouble');
}
