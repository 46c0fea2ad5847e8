import type { ArchivedEvent, Draft } from '#server/archive/entry.ts';
import type { DeclinedCode } from '#server/errors.ts';
import { badRow, type Connection, type Core, hashesForEntry, hashOf, isPlausible, note } from './core.ts';
import { advance, declinedMark, judge, type Producer } from './dedupe.ts';
import type { Bad, Batch, Declined, Sent } from './protocol.ts';
import { type BadEvent, claimsAnother, type ReadEvent, readEvent } from './sources.ts';

/** A batch whose envelope is read. `bytes` counts the whole frame; `at` is when it was read off the socket. */
export type Received = {
  readonly batch: Batch;
  readonly bytes: number;
  readonly at: number;
  readonly hasOddText: boolean;
};

/** What one batch comes to, before it is durable. */
export type Plan = {
  readonly drafts: Draft[];
  readonly bad: Bad[];
  readonly declined: Declined[];
  fresh: number;
  stored: number;
  duplicates: number;
  badCount: number;
  declinedCount: number;
  /** Highest seq that was known before this batch; 0: none. */
  repeated: number;
  /** The batch draft that the next good event joins. */
  run: { readonly ev: ArchivedEvent[]; hashes: string; readonly draft: Writable<Draft> } | null;
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export function eventAt(events: readonly Sent[], i: number): Sent {
  const event = events[i];
  if (event === undefined) throw new RangeError('no such event');
  return event;
}

/** Steps 5 to 7: takes the seqs and makes the drafts. Nothing is durable yet. */
export function planBatch(
  core: Core,
  connection: Connection,
  received: Received,
  producer: Producer,
  verdicts: (DeclinedCode | null)[] | null,
): Plan {
  const plan: Plan = {
    drafts: [],
    bad: [],
    declined: [],
    fresh: 0,
    stored: 0,
    duplicates: 0,
    badCount: 0,
    declinedCount: 0,
    repeated: 0,
    run: null,
  };
  const { batch } = received;
  const known = core.sources.find(batch.source);
  for (let i = 0; i < batch.events.length; i++) {
    const sent = eventAt(batch.events, i);
    const seq = batch.from + i;
    const isNew = seq > producer.last;
    const declined = verdicts?.[i] ?? (known?.declines.has(sent.event) ? 'source-not-allowed' : null);
    if (isNew && declined) {
      advance(producer, declinedMark(declined));
      addDeclined(plan, connection, received, seq, declined, true);
      continue;
    }
    const text = JSON.stringify(sent);
    const hash = hashOf(text);
    if (!isNew) {
      addKnown(core, plan, connection, received, { seq, text, hash, producer });
      continue;
    }
    advance(producer, hash);
    addNew(core, plan, connection, received, { sent, seq, text, hash });
  }
  return plan;
}

type Known = {
  readonly seq: number;
  readonly text: string;
  readonly hash: string;
  readonly producer: Producer;
};

/** A seq that had its end before. */
function addKnown(core: Core, plan: Plan, connection: Connection, received: Received, known: Known): void {
  const verdict = judge(known.producer, known.seq, known.hash);
  plan.repeated = Math.max(plan.repeated, known.seq);
  if (verdict === 'conflict') {
    const bad: BadEvent = { code: 'id-conflict', message: 'this seq was stored with other content' };
    addBad(core, plan, connection, received, { ...known, bad, isNew: false });
  } else if (verdict === 'duplicate') plan.duplicates += 1;
  else addDeclined(plan, connection, received, known.seq, verdict as DeclinedCode, false);
}

type New = { readonly sent: Sent; readonly seq: number; readonly text: string; readonly hash: string };

function addNew(core: Core, plan: Plan, connection: Connection, received: Received, event: New): void {
  const { sent, seq, hash } = event;
  const read = readSent(core, connection, received, event);
  if (!read.ok) {
    addBad(core, plan, connection, received, { ...event, bad: read, isNew: true });
    return;
  }
  plan.fresh += 1;
  plan.stored += 1;
  const archived: ArchivedEvent =
    sent.tick === undefined
      ? { event: sent.event, sentAt: sent.sentAt, body: read.body }
      : { event: sent.event, sentAt: sent.sentAt, tick: sent.tick, body: read.body };
  if (plan.run === null) {
    const { batch, at } = received;
    const ev = [archived];
    const draft: Writable<Draft> = {
      k: 'batch',
      t: at,
      s: connection.identity.student,
      p: batch.producer,
      e: batch.epoch,
      f: seq,
      src: batch.source,
      off: connection.offset,
      ev,
      h: '',
    };
    plan.run = { ev, hashes: hash, draft };
    plan.drafts.push(draft);
  } else {
    plan.run.ev.push(archived);
    plan.run.hashes += hash;
  }
}

function readSent(core: Core, connection: Connection, received: Received, event: New): ReadEvent {
  const { batch, at, hasOddText } = received;
  const known = core.sources.find(batch.source);
  if (!known) return unreadable('unknown-source', `unknown source: ${shown(batch.source)}`);
  const type = known.types.get(event.sent.event);
  if (!type)
    return unreadable('unknown-event', `unknown event: ${shown(batch.source)}/${shown(event.sent.event)}`);
  const { frameBytes } = core.limits;
  if (event.text.length > frameBytes / 3 && Buffer.byteLength(event.text) > (type.maxBytes ?? frameBytes)) {
    return unreadable('event-too-big', `${event.sent.event} is larger than its type may be`);
  }
  const { sentAt } = event.sent;
  if (!isPlausible(sentAt, connection.offset, at)) note(core, connection, 'clock-skewed');
  if (claimsAnother(event.sent.body, connection.identity.student)) note(core, connection, 'claim-mismatch');
  const envelope = {
    id: `${batch.producer}:${batch.epoch}:${event.seq}`,
    source: batch.source,
    event: event.sent.event,
    student: connection.identity.student,
    at,
    sentAt,
  };
  return readEvent(type, envelope, event.sent.body, hasOddText);
}

function unreadable(code: BadEvent['code'], message: string): ReadEvent {
  return { ok: false, code, message };
}

/** Names of sources and events are short and ours; anything else is not repeated. */
export function shown(name: string): string {
  return /^[\w.:-]{1,64}$/.test(name) ? name : '(a name of other characters)';
}

type BadAt = {
  readonly seq: number;
  readonly text: string;
  readonly hash: string;
  readonly bad: BadEvent;
  readonly isNew: boolean;
};

function addBad(core: Core, plan: Plan, connection: Connection, received: Received, found: BadAt): void {
  const { batch, at } = received;
  endRun(plan);
  if (found.isNew) plan.fresh += 1;
  plan.badCount += 1;
  plan.bad.push({ seq: found.seq, code: found.bad.code, message: found.bad.message });
  core.counter.ended(connection.edge, 'bad', 0, found.bad.code);
  plan.drafts.push({
    k: 'bad',
    t: at,
    s: connection.identity.student,
    p: batch.producer,
    e: batch.epoch,
    f: found.seq,
    n: 1,
    src: batch.source,
    off: connection.offset,
    h: hashesForEntry(found.hash),
    v: core.version,
    bad: badRow(found.bad.code, found.text, found.bad.path),
  });
}

/** Uses up the seq and keeps a count, nothing else: there privacy beats completeness. */
function addDeclined(
  plan: Plan,
  connection: Connection,
  received: Received,
  seq: number,
  code: DeclinedCode,
  isNew: boolean,
): void {
  const { batch, at } = received;
  plan.declinedCount += 1;
  const last = plan.declined.at(-1);
  if (last && last.code === code && last.to === seq - 1)
    plan.declined[plan.declined.length - 1] = { ...last, to: seq };
  else plan.declined.push({ from: seq, to: seq, code });
  if (!isNew) return;
  plan.fresh += 1;
  endRun(plan);
  const before = plan.drafts.at(-1) as Writable<Draft> | undefined;
  if (before?.declined === code && before.f !== undefined && before.f + (before.n ?? 0) === seq) {
    before.n = (before.n ?? 0) + 1;
    return;
  }
  plan.drafts.push({
    k: 'batch',
    t: at,
    s: connection.identity.student,
    p: batch.producer,
    e: batch.epoch,
    f: seq,
    n: 1,
    src: batch.source,
    declined: code,
  });
}

export function endRun(plan: Plan): void {
  if (plan.run) plan.run.draft.h = hashesForEntry(plan.run.hashes);
  plan.run = null;
}
