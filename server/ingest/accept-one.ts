import type { DeclinedCode, RefusedCode } from '#server/errors.ts';
import { badRow, type Connection, type Core, note, refusedNow, retryAfterMs } from './core.ts';
import { take } from './limits.ts';
import { shown } from './plan-batch.ts';
import { type BadEvent, claimsAnother, type EventType, readEvent } from './sources.ts';

/** One event of a client without ids. `producer` begins with `~`: the archive keeps no dedupe rows for it. */
export type OneEvent = {
  readonly producer: string;
  readonly seq: number;
  readonly source: string;
  readonly event: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly sentAt: number | undefined;
  readonly at: number;
  readonly bytes: number;
  readonly hasOddText: boolean;
};

export type OneEnd =
  | { readonly end: 'stored' }
  | { readonly end: 'bad'; readonly code: BadEvent['code']; readonly message: string }
  | { readonly end: 'declined'; readonly code: DeclinedCode }
  | { readonly end: 'refused'; readonly code: RefusedCode; readonly retryAfterMs: number };

/**
 * Steps 2, 5, 7 and 8 of delivery.md §4 for one event without ids. Calls `done` once, at once where nothing is written. Counts
 * nothing: a refused event is tried again by the edge, since its client has forgotten it.
 */
export function acceptOne(
  core: Core,
  connection: Connection,
  one: OneEvent,
  done: (end: OneEnd) => void,
): void {
  const refuse = (code: RefusedCode, wait = retryAfterMs(code)) =>
    done({ end: 'refused', code, retryAfterMs: wait });
  const { student } = connection.identity;
  const declined = core.rules.decide(student, one.sentAt ?? one.at);
  if (declined === 'not-ready') {
    refuse('not-ready');
    return;
  }
  if (declined) {
    done({ end: 'declined', code: declined });
    return;
  }
  const isBusy = core.archive.pressure() >= core.limits.pauseAt;
  const full = refusedNow(core) ?? (isBusy ? 'busy' : null);
  if (full) {
    refuse(full);
    return;
  }
  const limited = take(connection.meter, core.limits, wantedFor(core, one));
  if (limited) {
    refuse(limited.code, limited.retryAfterMs);
    return;
  }
  append(core, connection, one, done);
}

function wantedFor(core: Core, one: OneEvent) {
  const isOld = one.at - (one.sentAt ?? one.at) > core.limits.catchUpAfterMs;
  return {
    events: 1,
    bytes: one.bytes,
    isOld: isOld && core.archive.pressure() < core.limits.catchUpBelow,
    nowMs: one.at,
    monotonicMs: core.clock.monotonic(),
  };
}

function append(core: Core, connection: Connection, one: OneEvent, done: (end: OneEnd) => void): void {
  const source = core.sources.findOld(one.source);
  if (source?.declines.has(one.event)) {
    done({ end: 'declined', code: 'source-not-allowed' });
    return;
  }
  const type = source?.types.get(one.event);
  if (!source || !type) {
    appendBad(core, connection, one, unknown(one, source !== undefined), done);
    return;
  }
  const read = readOne(core, connection, one, source.name, type);
  if (!read.ok) {
    appendBad(core, connection, one, read, done);
    return;
  }
  const clock = one.sentAt === undefined ? {} : { sentAt: one.sentAt };
  const draft = {
    k: 'batch' as const,
    t: one.at,
    s: connection.identity.student,
    p: one.producer,
    e: 1,
    f: one.seq,
    src: source.name,
    ev: [{ event: one.event, ...clock, body: read.body }],
  };
  core.archive.append([draft], (refused) =>
    done(
      refused === null
        ? { end: 'stored' }
        : { end: 'refused', code: refused, retryAfterMs: retryAfterMs(refused) },
    ),
  );
}

function unknown(one: OneEvent, isSourceKnown: boolean): BadEvent {
  return isSourceKnown
    ? { code: 'unknown-event', message: `unknown event: ${shown(one.source)}/${shown(one.event)}` }
    : { code: 'unknown-source', message: `unknown source: ${shown(one.source)}` };
}

function readOne(core: Core, connection: Connection, one: OneEvent, source: string, type: EventType) {
  const { student } = connection.identity;
  if (claimsAnother(one.body, student)) note(core, connection, 'claim-mismatch');
  const id = `${one.producer}:1:${one.seq}`;
  const envelope = { id, source, event: one.event, student, at: one.at };
  return readEvent(
    type,
    one.sentAt === undefined ? envelope : { ...envelope, sentAt: one.sentAt },
    one.body,
    one.hasOddText,
  );
}

/** Keeps the event as a bad row at its seq. */
export function appendBad(
  core: Core,
  connection: Connection,
  one: Omit<OneEvent, 'bytes' | 'hasOddText' | 'sentAt'>,
  bad: BadEvent,
  done: (end: OneEnd) => void,
): void {
  const original = JSON.stringify({ event: one.event, ...one.body });
  const draft = {
    k: 'bad' as const,
    t: one.at,
    s: connection.identity.student,
    p: one.producer,
    e: 1,
    f: one.seq,
    n: 1,
    src: one.source,
    v: core.version,
    bad: badRow(bad.code, original, bad.path),
  };
  core.archive.append([draft], (refused) =>
    done(
      refused === null
        ? { end: 'bad', code: bad.code, message: bad.message }
        : { end: 'refused', code: refused, retryAfterMs: retryAfterMs(refused) },
    ),
  );
}
