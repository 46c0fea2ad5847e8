import { isDeepStrictEqual } from 'node:util';
import type { Classroom, Query, Student } from '#modules/kit/index.ts';
import type { Log } from '#server/log.ts';
import type { AskService } from '#server/services/ask.ts';
import type { StateKey } from '#server/state/state-key.ts';
import type { States } from '#server/stream/owner.ts';
import { EMPTY, type Snapshot } from './delta.ts';
import type { LiveMeasures } from './measures.ts';
import { runRow } from './run-row.ts';
import type { Scheduler, Turns } from './scheduler.ts';
import { finishRow, hasRead, logTrouble, noteRead, openSeat, type Seat, waitingSince } from './seat.ts';
import { takeSnapshot } from './snapshot.ts';

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
  readonly measures?: LiveMeasures;
  /** Others are drawn from now on. */
  readonly onRoster?: () => void;
};
export type Roster = { readonly classroom: Classroom; readonly students: readonly Student[] };

export type Channel = {
  /** Resolves when every row has been run, or after 2 s: rows that are not there yet are then marked `delayed`. */
  whenComplete(): Promise<void>;
  /** What is known now; a new object for each change. */
  snapshot(): Snapshot;
  /** Ids of who is drawn. */
  students(): Iterable<string>;
  /** Who is drawn from now on; those who are no longer in it leave the channel's memory. */
  setRoster(roster: Roster): void;
  /** States of a student changed: the rows that read them run again in the channel's next turn. `at`: when it was received. */
  wake(student: string, keys: readonly StateKey[], at?: number): void;
  /** An answer came; it may be read by any row. */
  wakeAny(key: StateKey): void;
  onChange(listener: () => void): () => void;
  close(): void;
};

type Core = {
  readonly subject: ChannelSubject;
  readonly parts: ChannelParts;
  readonly turns: Turns;
  readonly listeners: Set<() => void>;
  roster: Roster;
  seats: Map<string, Seat>;
  snapshot: Snapshot;
  /** Server clock, while the channel is late. */
  lateSince: number | null;
  isInTurn: boolean;
  /** When what was received that the rows, run since the last publishing, tell of; server clock. */
  receipts: number[];
  /** Who waits for all rows. */
  waiting: (() => void)[];
};

/** Keeps the rows of one channel fresh for all its watchers: a change of a state runs the rows that read it, no others. */
export function openChannel(subject: ChannelSubject, roster: Roster, parts: ChannelParts): Channel {
  const { scheduler } = parts;
  const turns: Turns = {
    begin: () => begin(core),
    end() {
      core.isInTurn = false;
      publish(core);
    },
    waitingSince: () => waitingSince(core.seats.values()),
    late(waitedMs) {
      setLate(core, waitedMs === null ? null : parts.clock() - waitedMs);
      publish(core);
    },
  };
  const core: Core = {
    subject,
    parts,
    turns,
    listeners: new Set(),
    roster,
    seats: new Map(),
    snapshot: EMPTY,
    lateSince: null,
    isInTurn: false,
    receipts: [],
    waiting: [],
  };
  takeRoster(core, roster);

  return {
    whenComplete() {
      const isFresh = turns.waitingSince() === null || core.lateSince !== null;
      return isFresh ? Promise.resolve() : new Promise((resolve) => core.waiting.push(resolve));
    },
    snapshot: () => core.snapshot,
    students: () => core.seats.keys(),
    setRoster(next) {
      if (!isDeepStrictEqual(next, core.roster)) takeRoster(core, next);
    },
    wake(student, keys, at) {
      const seat = core.seats.get(student);
      if (!seat || !keys.some((key) => hasRead(seat, key))) return;
      seat.receivedAt ??= at ?? null;
      markDirty(core, seat);
    },
    wakeAny(key) {
      for (const seat of core.seats.values()) if (hasRead(seat, key)) markDirty(core, seat);
    },
    onChange(listener) {
      core.listeners.add(listener);
      return () => core.listeners.delete(listener);
    },
    close() {
      scheduler.drop(turns);
      setLate(core, null);
      core.listeners.clear();
      release(core);
    },
  };
}

function setLate(core: Core, since: number | null): void {
  const { measures } = core.parts;
  if (measures) measures.delayed += Number(since !== null) - Number(core.lateSince !== null);
  core.lateSince = since;
}

function markDirty({ parts, turns }: Core, seat: Seat): void {
  seat.dirtySince ??= parts.scheduler.now();
  parts.scheduler.want(turns);
}

/** A row that is under way is left out: when it has ended it has a turn of its own, if it changed meanwhile. */
function begin(core: Core): readonly (() => void)[] {
  core.isInTurn = true;
  const due = [...core.seats.values()].filter(
    ({ dirtySince, runningSince }) => dirtySince !== null && runningSince === null,
  );
  return due.map((seat) => () => start(core, seat));
}

function start(core: Core, seat: Seat): void {
  const { parts, subject } = core;
  seat.runningSince = seat.dirtySince ?? parts.scheduler.now();
  seat.dirtySince = null;
  const { receivedAt } = seat;
  seat.receivedAt = null;
  if (parts.measures) parts.measures.rowsRun += 1;
  const run = runRow({
    query: subject.query,
    classroom: core.roster.classroom,
    student: seat.student,
    params: subject.params,
    states: parts.states,
    ask: parts.ask,
    maxBytes: subject.maxRowBytes,
    now: parts.clock,
    onRead: (key) => noteRead(seat, key),
  });
  void run.then((result) => {
    if (receivedAt !== null) core.receipts.push(receivedAt);
    finishRow(seat, result, (reason) => logTrouble(parts.log, subject, seat, reason));
    // Within its turn a row is sent by the end of it; one that waited for the outside needs a turn of its own.
    if (!core.isInTurn || seat.dirtySince !== null) parts.scheduler.want(core.turns);
  });
}

function publish(core: Core): void {
  const { lateSince, snapshot: last } = core;
  const next = takeSnapshot(core.subject, core.roster, core.seats, {
    lateSince,
    last,
    now: core.parts.clock(),
  });
  core.snapshot = next;
  const isComplete = lateSince !== null || [...core.seats.values()].every(({ hasRun }) => hasRun);
  if (isComplete) release(core);
  if (next !== last) for (const listener of core.listeners) listener();
  for (const at of core.receipts) core.parts.measures?.rowMs.note(core.parts.clock() - at);
  core.receipts.length = 0;
}

function release(core: Core): void {
  for (const resolve of core.waiting) resolve();
  core.waiting = [];
}

/** Who stays keeps row and seat; who left is forgotten; when anything of the class changed all rows run again. */
function takeRoster(core: Core, next: Roster): void {
  const { scheduler, clock } = core.parts;
  const isSameClass = isDeepStrictEqual(next.classroom, core.roster.classroom);
  const before = core.seats;
  core.roster = next;
  core.seats = new Map();
  for (const student of next.students) {
    const seat = before.get(student.id) ?? openSeat(student, clock(), scheduler.now());
    const isSame = isSameClass && isDeepStrictEqual(seat.student, student);
    seat.student = student;
    if (!isSame) seat.dirtySince ??= scheduler.now();
    core.seats.set(student.id, seat);
  }
  core.parts.onRoster?.();
  scheduler.want(core.turns);
}
