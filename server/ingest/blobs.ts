import { randomBytes } from 'node:crypto';
import { blobs } from '#modules/kit/index.ts';
import type { RefusedCode } from '#server/errors.ts';
import { type Connection, type Core, refusedNow, retryAfterMs } from './core.ts';
import { take } from './limits.ts';

/** Which value: one per student, source and activity. */
export type BlobKey = { readonly student: string; readonly tool: string; readonly activity: string };

export type BlobEnd = { readonly end: 'stored' } | { readonly end: 'refused'; readonly code: RefusedCode };

/** The saves of all sockets that are not in the archive yet. */
export type BlobSaves = {
  /** Keeps `json` for a moment; a younger save of the same key takes its place. Every save hears its end once. */
  save(connection: Connection, key: BlobKey, json: string, done: (end: BlobEnd) => void): void;
  /** Resolves once what waits under this key has its end. */
  write(key: BlobKey): Promise<void>;
  /** Resolves once everything that waits of this student has its end. */
  writeAll(student?: string): Promise<void>;
};

export const MOST_BLOB_BYTES = 256 * 1024;
const MERGE_MS = 2_000;
/** Values of one student that may wait at a time. */
const MOST_WAITING = 64;

type Pending = {
  readonly key: BlobKey;
  connection: Connection;
  json: string;
  /** Saves whose value, or a younger one, the next write holds. */
  waiting: Done[];
  /** The saves of the write that is on its way to the disk; null: none is. */
  writing: Done[] | null;
  since: number;
  timer: NodeJS.Timeout | undefined;
  /** Called once nothing of this key waits any more. */
  readonly whenIdle: (() => void)[];
};
type Done = (end: BlobEnd) => void;

/**
 * Saves of one key within two seconds are one event, the last wins (wire.md §A9). Clients forget what they saved, so what the
 * archive refuses is tried again, and is given up only after as long as other events of the old protocol are.
 */
export function openBlobSaves(core: Core): BlobSaves {
  const pending = new Map<string, Pending>();
  const producer = `~${randomBytes(16).toString('base64url')}`;
  let seq = 0;

  /** Ends these saves; the key is forgotten where no younger one waits, else written in its turn. */
  function finish(one: Pending, saves: Done[], end: BlobEnd): void {
    for (const done of saves) done(end);
    if (one.waiting.length > 0) {
      one.since = core.clock.monotonic();
      if (one.whenIdle.length > 0) write(one);
      else one.timer = setTimeout(write, MERGE_MS, one);
      return;
    }
    pending.delete(idOf(one.key));
    for (const idle of one.whenIdle) idle();
  }

  function later(one: Pending, code: RefusedCode, waitMs: number): void {
    const isHopeless = core.isStopping || core.clock.monotonic() - one.since > core.limits.old.heldMs;
    if (isHopeless) finish(one, one.waiting.splice(0), { end: 'refused', code });
    else one.timer = setTimeout(write, Math.min(waitMs, MERGE_MS), one);
  }

  function write(one: Pending): void {
    if (one.writing) return;
    clearTimeout(one.timer);
    // What came before a stop is still written.
    const full = core.isStopping ? core.archive.refusing() : refusedNow(core);
    const limited = full ? null : take(one.connection.meter, core.limits, wantedFor(core, one));
    if (full) later(one, full, retryAfterMs(full));
    else if (limited) later(one, limited.code, limited.retryAfterMs);
    else append(one);
  }

  function append(one: Pending): void {
    const saves = one.waiting.splice(0);
    one.writing = saves;
    seq += 1;
    const { student, tool, activity } = one.key;
    const ev = [{ event: 'saved', body: { tool, activity, json: one.json } }];
    const at = core.clock.now();
    const draft = { k: 'batch' as const, t: at, s: student, p: producer, e: 1, f: seq, src: blobs.name, ev };
    core.archive.append([draft], (refused) => {
      one.writing = null;
      if (refused === null) finish(one, saves, { end: 'stored' });
      else {
        one.waiting.unshift(...saves);
        later(one, refused, retryAfterMs(refused));
      }
    });
  }

  function whenWritten(one: Pending): Promise<void> {
    const idle = new Promise<void>((resolve) => one.whenIdle.push(resolve));
    write(one);
    return idle;
  }

  function ofStudent(student: string): Pending[] {
    return [...pending.values()].filter(({ key }) => key.student === student);
  }

  return {
    save(connection, key, json, done) {
      const known = pending.get(idOf(key));
      if (known) {
        known.connection = connection;
        known.json = json;
        known.waiting.push(done);
        return;
      }
      if (ofStudent(key.student).length >= MOST_WAITING) {
        done({ end: 'refused', code: 'too-many-in-flight' });
        return;
      }
      const since = core.clock.monotonic();
      const one: Pending = {
        key,
        connection,
        json,
        waiting: [done],
        writing: null,
        since,
        timer: undefined,
        whenIdle: [],
      };
      one.timer = setTimeout(write, MERGE_MS, one);
      pending.set(idOf(key), one);
    },
    async write(key) {
      const one = pending.get(idOf(key));
      if (one) await whenWritten(one);
    },
    async writeAll(student) {
      const all = student === undefined ? [...pending.values()] : ofStudent(student);
      await Promise.all(all.map(whenWritten));
    },
  };
}

function idOf({ student, tool, activity }: BlobKey): string {
  return JSON.stringify([student, tool, activity]);
}

function wantedFor(core: Core, one: Pending) {
  const monotonicMs = core.clock.monotonic();
  return { events: 1, bytes: one.json.length, isOld: false, nowMs: core.clock.now(), monotonicMs };
}
