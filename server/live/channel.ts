import { isDeepStrictEqual } from 'node:util';
import type { Classroom, Query, Student, Trouble } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import type { AskService } from '#server/services/ask.ts';
import type { StateKey } from '#server/state/state-key.ts';
import type { States } from '#server/stream/owner.ts';
import { EMPTY, type Snapshot } from './delta.ts';
import type { Json, Row } from './protocol.ts';
import { type RowResult, runRow } from './run-row.ts';
import type { Scheduler, Turns } from './scheduler.ts';

/** What a channel shows: one query with one set of params, for a class or for one student of it. */
export type ChannelSubject = {
  readonly module: string;
  readonly query: Query;
  readonly params: unknown;
  readonly maxRowBytes: number;
};
export type ChannelParts = {
  readonly states: States;
  readonly ask: AskService;
  readonly scheduler: Scheduler;
  readonly clock: () => number;
  readonly log: Log;
};
export type Roster = { readonly classroom: Classroom; readonly students: readonly Student[] };

export type Channel = {
  /** Resolves when every row has been run, or after 2 s: rows that are not there yet are then marked `delayed`. */
  whenComplete(): Promise<void>;
  /** What is known now; a new object for each change. */
  snapshot(): Snapshot;
  roster(): Roster;
  /** Who is drawn from now on; those who are no longer in it leave the channel's memory. */
  setRoster(roster: Roster): void;
  /** States of a student changed: the rows that read them run again in the channel's next turn. */
  wake(student: string, keys: readonly StateKey[]): void;
  /** An answer came; it may be read by any row. */
  wakeAny(key: StateKey): void;
  onChange(listener: () => void): () => void;
  close(): void;
};

/** One student's place. `dirtySince`, `runningSince`: the scheduler's clock. A row is never run twice at a time. */
type Seat = {
  student: Student;
  row: Row;
  hasRun: boolean;
  trouble: Trouble | null;
  keys: Set<StateKey>;
  reading: Set<StateKey> | null;
  dirtySince: number | null;
  runningSince: number | null;
};

/** Keeps the rows of one channel fresh for all its watchers: a change of a state runs the rows that read it, no others. */
export function openChannel(subject: ChannelSubject, roster: Roster, parts: ChannelParts): Channel {
  const { scheduler } = parts;
  const listeners = new Set<() => void>();
  let current = roster;
  let seats = new Map<string, Seat>();
  let snapshot = EMPTY;
  let lateSince: number | null = null;
  let isInTurn = false;
  let waiting: (() => void)[] = [];

  const markDirty = (seat: Seat) => {
    seat.dirtySince ??= scheduler.now();
    scheduler.want(turns);
  };
  const seat = (student: Student): Seat => ({
    student,
    row: { student: { id: student.id, name: student.name } },
    hasRun: false,
    trouble: { code: 'delayed', since: parts.clock() },
    keys: new Set(),
    reading: null,
    dirtySince: scheduler.now(),
    runningSince: null,
  });
  const settle = (place: Seat, result: RowResult) => {
    finishRow(place, result, (reason) => logTrouble(parts.log, subject, place, reason));
    // Within its turn a row is sent by the end of it; one that waited for the outside needs a turn of its own.
    if (!isInTurn || place.dirtySince !== null) scheduler.want(turns);
  };
  const start = (place: Seat) => {
    place.runningSince = place.dirtySince ?? scheduler.now();
    place.dirtySince = null;
    const reading = new Set<StateKey>();
    place.reading = reading;
    const { student } = place;
    const run = runRow({
      query: subject.query,
      classroom: current.classroom,
      student,
      params: subject.params,
      states: parts.states,
      ask: parts.ask,
      maxBytes: subject.maxRowBytes,
      now: parts.clock,
      onRead: (key) => reading.add(key),
    });
    void run.then((result) => settle(place, result));
  };

  const isComplete = () => lateSince !== null || [...seats.values()].every((place) => place.hasRun);
  const release = () => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const publish = () => {
    const next = takeSnapshot(subject, current, seats, { lateSince, last: snapshot, now: parts.clock() });
    const isNew = next !== snapshot;
    snapshot = next;
    if (isComplete()) release();
    if (isNew) for (const listener of listeners) listener();
  };
  const turns: Turns = {
    begin() {
      isInTurn = true;
      const due = [...seats.values()].filter(
        (place) => place.dirtySince !== null && place.runningSince === null,
      );
      return due.map((place) => () => start(place));
    },
    end() {
      isInTurn = false;
      publish();
    },
    waitingSince() {
      let oldest: number | null = null;
      for (const { dirtySince, runningSince } of seats.values()) {
        const since = runningSince ?? dirtySince;
        if (since !== null && (oldest === null || since < oldest)) oldest = since;
      }
      return oldest;
    },
    late(waitedMs) {
      lateSince = waitedMs === null ? null : parts.clock() - waitedMs;
      publish();
    },
  };

  const setRoster = (next: Roster) => {
    const isSameClass = isDeepStrictEqual(next.classroom, current.classroom);
    const before = seats;
    current = next;
    seats = new Map();
    for (const student of next.students) {
      const known = before.get(student.id);
      const place = known ?? seat(student);
      const isSame = known !== undefined && isSameClass && isDeepStrictEqual(known.student, student);
      place.student = student;
      seats.set(student.id, place);
      if (!isSame) place.dirtySince ??= scheduler.now();
    }
    scheduler.want(turns);
  };
  setRoster(roster);

  return {
    whenComplete() {
      const isFresh = turns.waitingSince() === null || lateSince !== null;
      return isFresh ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    snapshot: () => snapshot,
    roster: () => current,
    setRoster(next) {
      if (!isDeepStrictEqual(next, current)) setRoster(next);
    },
    wake(student, keys) {
      const place = seats.get(student);
      if (place && keys.some((key) => place.keys.has(key) || place.reading?.has(key))) markDirty(place);
    },
    wakeAny(key) {
      for (const place of seats.values())
        if (place.keys.has(key) || place.reading?.has(key)) markDirty(place);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      scheduler.drop(turns);
      listeners.clear();
      release();
    },
  };
}

/** Keeps the last good row when there is no new one, and its identity when nothing changed. */
function finishRow(place: Seat, result: RowResult, onTrouble: (reason: string) => void): void {
  place.keys = place.reading ?? place.keys;
  place.reading = null;
  place.runningSince = null;
  place.hasRun = true;
  if (result.row && !isDeepStrictEqual(result.row, place.row)) place.row = result.row;
  const { trouble = null } = result;
  const isKnown = trouble !== null && trouble.code === place.trouble?.code;
  if (isKnown && trouble.code === 'unavailable') return;
  if (!isKnown && trouble !== null) onTrouble(result.reason ?? trouble.code);
  place.trouble = trouble;
}

function logTrouble(log: Log, { module, query }: ChannelSubject, place: Seat, reason: string): void {
  const fields = { module, query: query.name, student: place.student.id, reason };
  if (reason === 'too-big') log.error(fields, 'a row is over its size and is not sent');
  else log.warn(fields, 'a row is in trouble');
}

/** The same object when nothing differs. Rows not yet run are shown, as *delayed*, only when the channel is late. */
function takeSnapshot(
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
  const next: Snapshot = { order: [...rows.keys()], rows, trouble, frame: frame.value };
  return isSame(last, next) ? last : next;
}

function takeFrame(
  { query, params }: ChannelSubject,
  classroom: Classroom,
  rows: ReadonlyMap<string, Row>,
  last: Snapshot,
): { readonly value: Json | undefined; readonly hasFailed?: true } {
  if (!query.frame) return { value: undefined };
  const complete = [...rows.values()].filter((row) => Object.keys(row).length > 1);
  try {
    const value = JSON.parse(
      JSON.stringify(query.frame({ classroom, params, rows: complete }) ?? null),
    ) as Json;
    return { value: isDeepStrictEqual(value, last.frame) ? last.frame : value };
  } catch {
    return { value: last.frame, hasFailed: true };
  }
}

function failedFrame(last: Snapshot, now: number): Trouble {
  const known = last.trouble.get('*');
  return known?.code === 'unavailable' ? known : { code: 'unavailable', since: now };
}

function isSame(a: Snapshot, b: Snapshot): boolean {
  if (a.frame !== b.frame || !isDeepStrictEqual(a.order, b.order) || !isDeepStrictEqual(a.trouble, b.trouble))
    return false;
  return b.order.every((id) => a.rows.get(id) === b.rows.get(id));
}
