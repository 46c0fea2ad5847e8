import type { Viewer } from '#server/access/viewer.ts';
import type { Audit } from '#server/audit.ts';
import { AppError, type AppErrorCode } from '#server/errors.ts';
import type { Log } from '#server/log.ts';
import type { Channel, Roster } from './channel.ts';
import type { Json, Opened, Subscribe } from './protocol.ts';
import { openWatcher, type Peer } from './watcher.ts';

export type SubscriptionPeer = Peer & {
  /** The right to look has ended, or cannot be proved any more; no row follows. */
  refused(code: AppErrorCode, reason: string): void;
};

/** One socket's open channel, from the first yes to the last audit line. */
export type Subscription = {
  /** The channel's id on this socket. */
  readonly id: string;
  readonly classroom: string;
  /** True when a change about this person may change what this subscription may show. */
  concerns(personId: string): boolean;
  /** Asks `access` anew, as this viewer; says no more than `refused` when the answer is no. */
  recheck(viewer: Viewer): Promise<void>;
  /** When `access` last said yes, ms. */
  askedAt(): number;
  /** A slow reader has read: the newest values, if they differ. */
  flush(): void;
  close(): void;
};

export type SubscriptionParts = {
  readonly id: string;
  readonly asked: Subscribe;
  readonly params: { readonly [field: string]: Json };
  readonly viewer: Viewer;
  readonly roster: Roster;
  readonly ask: (viewer: Viewer) => Promise<Roster>;
  readonly join: () => Channel;
  readonly leave: () => void;
  readonly audit: Audit;
  readonly peer: SubscriptionPeer;
  readonly clock: () => number;
  readonly log: Log;
  readonly trustMs: number;
};

const UNCHECKED = 'your rights cannot be checked now';

/** No audit, no look: the line is durable before the first row leaves (access.md §10). */
export async function openSubscription(
  parts: SubscriptionParts,
): Promise<{ readonly opened: Opened; readonly subscription: Subscription }> {
  const { id, clock, viewer, roster } = parts;
  const openedAt = clock();
  const channel = parts.join();
  try {
    await Promise.all([channel.whenComplete(), writeLook(parts, viewer, idsOf(roster))]);
  } catch (error) {
    parts.leave();
    throw error;
  }
  const watcher = openWatcher({ id, channel, allowed: new Set(idsOf(roster)), peer: parts.peer, clock });
  const { rows, trouble, frame } = watcher.open();
  const opened: Opened = {
    ok: true,
    channel: id,
    n: 0,
    at: clock(),
    ...(frame === undefined ? {} : { frame }),
    rows,
    params: parts.params,
    trouble,
  };
  return { opened, subscription: keepAllowed(parts, { channel, watcher, openedAt }) };
}

function keepAllowed(
  parts: SubscriptionParts,
  {
    channel,
    watcher,
    openedAt,
  }: {
    readonly channel: Channel;
    readonly watcher: ReturnType<typeof openWatcher>;
    readonly openedAt: number;
  },
): Subscription {
  const { asked, clock, peer } = parts;
  let allowed: ReadonlySet<string> = new Set(idsOf(parts.roster));
  let askedAt = openedAt;
  let isClosed = false;

  const close = () => {
    if (isClosed) return;
    isClosed = true;
    watcher.close();
    parts.leave();
    void writeEnd(parts, clock() - openedAt);
  };
  const refuse = (code: AppErrorCode, reason: string) => {
    if (isClosed) return;
    close();
    peer.refused(code, reason);
  };
  const take = async (roster: Roster, viewer: Viewer) => {
    const ids = idsOf(roster);
    const added = ids.filter((student) => !allowed.has(student));
    channel.setRoster(roster);
    allowed = new Set(ids.filter((student) => allowed.has(student)));
    watcher.allow(allowed);
    if (added.length === 0) return;
    await writeLook(parts, viewer, added);
    if (isClosed) return;
    allowed = new Set([...allowed, ...added]);
    watcher.allow(allowed);
  };

  const isTrusted = () => clock() - askedAt < parts.trustMs;
  const check = async (viewer: Viewer) => {
    if (isClosed) return;
    const began = clock();
    try {
      const roster = await parts.ask(viewer);
      if (isClosed) return;
      askedAt = began;
      await take(roster, viewer);
    } catch (error) {
      if (isNo(error)) refuse('not-found', 'you may no longer look at this');
      else if (!isTrusted()) refuse('unavailable', UNCHECKED);
    }
  };

  const { run: checkInTurn, isRunning: isChecking } = oneAtATime(check);

  return {
    id: parts.id,
    classroom: asked.classroom,
    concerns: (personId) => personId === parts.viewer.personId || allowed.has(personId),
    recheck(viewer) {
      // A question that hangs must not keep the channel open for ever.
      if (isChecking() && !isTrusted()) refuse('unavailable', UNCHECKED);
      return checkInTurn(viewer);
    },
    askedAt: () => askedAt,
    flush: watcher.flush,
    close,
  };
}

/** An older answer must not come after a newer one: what is asked meanwhile waits, and of that only the newest is asked. */
function oneAtATime<Question>(ask: (question: Question) => Promise<void>) {
  let isRunning = false;
  const waiting: Question[] = [];
  const run = async (question: Question): Promise<void> => {
    waiting.splice(0, waiting.length, question);
    if (isRunning) return;
    isRunning = true;
    try {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await ask(next);
    } finally {
      isRunning = false;
    }
  };
  return { run, isRunning: () => isRunning };
}

function isNo(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'not-found' || error.code === 'forbidden');
}

function idsOf({ students }: Roster): readonly string[] {
  return students.map(({ id }) => id);
}

function writeLook(
  { audit, asked }: SubscriptionParts,
  viewer: Viewer,
  students: readonly string[],
): Promise<void> {
  return audit.write(viewer, {
    action: 'live.open',
    ...lookedAt(asked),
    detail: { module: asked.module, query: asked.query, students },
  });
}

async function writeEnd({ audit, asked, viewer, log }: SubscriptionParts, ms: number): Promise<void> {
  const detail = { module: asked.module, query: asked.query, ms };
  try {
    await audit.write(viewer, { action: 'live.close', ...lookedAt(asked), detail });
  } catch {
    log.error({ code: 'unavailable', classroom: asked.classroom }, 'the end of a look could not be audited');
  }
}

function lookedAt({ classroom, student }: Subscribe) {
  if (student === undefined) return { classroomId: classroom, subjectKind: 'class', subjectId: classroom };
  return { classroomId: classroom, subjectKind: 'student', subjectId: student };
}
