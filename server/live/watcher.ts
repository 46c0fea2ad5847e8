import type { Trouble } from '#modules/kit/index.ts';
import type { Channel } from './channel.ts';
import { deltaOf, EMPTY, type Snapshot } from './delta.ts';
import type { Delta, Row } from './protocol.ts';

/** The way to one client. `send` answers false when the client reads too slowly: nothing was sent then. */
export type Peer = {
  send(delta: Delta): boolean;
};

/** One socket's view of one channel: what it was sent last, and which students it may be sent. */
export type Watcher = {
  /** Everything at once, as `n` 0; from then on deltas follow. */
  open(): {
    readonly rows: readonly Row[];
    readonly trouble: Record<string, Trouble>;
    readonly frame: Snapshot['frame'];
  };
  /** Sends what differs from what was sent last. Called again when a slow reader has read. */
  flush(): void;
  /** The students that this watcher may be sent from now on. */
  allow(students: ReadonlySet<string>): void;
  close(): void;
};

export function openWatcher(parts: {
  readonly id: string;
  readonly channel: Channel;
  readonly allowed: ReadonlySet<string>;
  readonly peer: Peer;
  readonly clock: () => number;
}): Watcher {
  const { id, channel, peer, clock } = parts;
  let allowed = parts.allowed;
  let sent = EMPTY;
  let n = 0;
  let stop = () => {};

  const flush = () => {
    const now = narrow(channel.snapshot(), allowed);
    const changes = sharedDelta(sent, now);
    if (changes === null) return;
    if (!peer.send({ channel: id, n: n + 1, at: clock(), ...changes })) return;
    n += 1;
    sent = now;
  };
  return {
    open() {
      sent = narrow(channel.snapshot(), allowed);
      stop = channel.onChange(flush);
      return { rows: [...sent.rows.values()], trouble: Object.fromEntries(sent.trouble), frame: sent.frame };
    },
    flush,
    allow(students) {
      allowed = students;
      flush();
    },
    close() {
      stop();
      allowed = new Set();
    },
  };
}

/** The snapshot itself when all of it is allowed, so that watchers who are sent the same share one delta. */
export function narrow(snapshot: Snapshot, allowed: ReadonlySet<string>): Snapshot {
  if (snapshot.order.every((id) => allowed.has(id))) return snapshot;
  return {
    order: snapshot.order.filter((id) => allowed.has(id)),
    rows: new Map([...snapshot.rows].filter(([id]) => allowed.has(id))),
    trouble: new Map([...snapshot.trouble].filter(([id]) => id === '*' || allowed.has(id))),
    // Of the class as a whole: it may tell of a student whom this watcher may not see, or not yet.
    frame: undefined,
  };
}

type Shared = {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly changes: ReturnType<typeof deltaOf>;
};
/** What was worked out last: the watchers of a channel are told one after the other, and nothing is kept beyond that. */
let shared: Shared | null = null;

function sharedDelta(before: Snapshot, after: Snapshot): Shared['changes'] {
  if (before === after) return null;
  if (shared?.before === before && shared.after === after) return shared.changes;
  if (shared === null) queueMicrotask(forget);
  shared = { before, after, changes: deltaOf(before, after) };
  return shared.changes;
}

function forget(): void {
  shared = null;
}
