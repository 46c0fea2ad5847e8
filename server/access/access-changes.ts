import type { Prisma, PrismaClient } from '#server/generated/prisma/client.ts';
import type { Notices } from '#server/notices/notices.ts';
import type { AccessChange } from './access.ts';

const TOPIC = 'access';
/** Numbers are given before transactions commit, so a later one can appear first: so many are read again each time. */
const OVERLAP = 200n;
const AT_ONCE = 1000;

/** The row to write in the transaction that changes a right. */
export const changeRow = (
  schoolId: string,
  change: AccessChange,
): Prisma.AccessChangeUncheckedCreateInput => ({
  schoolId,
  ...change,
});

/** Tells every process of a change that is committed; who misses it finds the row. */
export function announce(notices: Notices, seq: bigint, change: AccessChange): void {
  notices.publish(TOPIC, JSON.stringify({ seq: String(seq), ...change }));
}

export type AccessChanges = {
  onChange(listener: (change: AccessChange) => void): () => void;
  /** Reads now what the notices may have missed. */
  poll(): Promise<void>;
  close(): void;
};

/** Hears changes by notice, and every `pollMs` by reading the table: each change once. */
export function watchAccessChanges(
  prisma: PrismaClient,
  notices: Notices,
  options: { readonly pollMs: number; readonly onError: (error: unknown) => void },
): AccessChanges {
  const listeners = new Set<(change: AccessChange) => void>();
  let seen = new Set<bigint>();
  let last: bigint | null = null;

  function hear(seq: bigint, change: AccessChange): void {
    if (seen.has(seq)) return;
    seen.add(seq);
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        options.onError(error); // one listener's fault must not keep a revocation from the others
      }
    }
  }

  async function readFrom(from: bigint): Promise<void> {
    const rows = await prisma.accessChange.findMany({
      where: { seq: { gt: from } },
      orderBy: { seq: 'asc' },
      take: AT_ONCE,
    });
    for (const { seq, ...row } of rows) hear(seq, changeOf(row));
    const newest = rows.at(-1)?.seq;
    if (newest !== undefined && (last === null || newest > last)) last = newest;
    if (rows.length === AT_ONCE && newest !== undefined) await readFrom(newest);
  }

  async function start(): Promise<void> {
    const newest = await prisma.accessChange.findMany({
      select: { seq: true },
      orderBy: { seq: 'desc' },
      take: Number(OVERLAP),
    });
    for (const { seq } of newest) seen.add(seq);
    last = newest[0]?.seq ?? 0n;
  }

  async function poll(): Promise<void> {
    if (last === null) return start();
    await readFrom(last - OVERLAP);
    const floor = last - 2n * OVERLAP;
    if (seen.size > 2 * AT_ONCE) seen = new Set([...seen].filter((seq) => seq > floor));
  }

  // One reading at a time: a slow database must not be asked again before it has answered.
  let running: Promise<void> | null = null;
  function pollOnce(): Promise<void> {
    running ??= poll().finally(() => {
      running = null;
    });
    return running;
  }

  const stopHearing = notices.subscribe(TOPIC, (message) => {
    const { seq, ...change } = JSON.parse(message) as { seq: string } & AccessChange;
    hear(BigInt(seq), change);
  });
  const tick = () => void pollOnce().catch(options.onError);
  tick();
  const timer = setInterval(tick, options.pollMs);
  timer.unref();

  return {
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    poll: pollOnce,
    close() {
      clearInterval(timer);
      stopHearing();
      listeners.clear();
    },
  };
}

type Row = {
  readonly kind: string;
  readonly personId: string | null;
  readonly classroomId: string | null;
  readonly sessionId: string | null;
};

/** The table's check admits the kinds of `AccessChange` only. */
const changeOf = (row: Row): AccessChange => ({
  kind: row.kind as AccessChange['kind'],
  ...(row.personId ? { personId: row.personId } : {}),
  ...(row.classroomId ? { classroomId: row.classroomId } : {}),
  ...(row.sessionId ? { sessionId: row.sessionId } : {}),
});
