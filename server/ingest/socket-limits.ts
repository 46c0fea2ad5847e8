import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { CLOSE } from '#server/errors.ts';
import type { OpenConnection } from './connections.ts';
import type { Edge } from './counts.ts';
import type { Ingest } from './ingest.ts';
import type { KeptValues } from './kept-values.ts';

const WINDOW_S = 60;

/** Makes room for a new socket of a student: the one that was silent longest is told to stop (wire.md part B). */
export function boundSockets(ingest: Ingest, newest: OpenConnection): void {
  const others: OpenConnection[] = [];
  for (const connection of ingest.ofStudent(newest.identity.student)) {
    if (connection !== newest && connection.edge === 'socket' && !connection.isEnding)
      others.push(connection);
  }
  if (others.length < ingest.core.limits.socketsPerStudent) return;
  const silent = others.reduce((a, b) => (b.lastHeardAt < a.lastHeardAt ? b : a));
  silent.isEnding = true;
  silent.peer.push('stop', { code: 'limited' });
  silent.peer.close(CLOSE.tooManySockets);
}

/** Handshakes a minute, per address and per student: not the hot path, so the library counts (access.md §6). */
export type Handshakes = {
  /** Milliseconds to wait, or 0: welcome. */
  fromAddress(address: string): Promise<number>;
  ofStudent(student: string): Promise<number>;
};

/** `edge`: each counts for itself. `kept`: where the counts outlive the process. */
export function openHandshakes(
  limits: { readonly handshakesPerAddress: number; readonly handshakesPerStudent: number },
  edge: Edge,
  kept?: KeptValues,
): Handshakes {
  const addresses = openCount(limits.handshakesPerAddress, `address ${edge} `, kept);
  const students = openCount(limits.handshakesPerStudent, `handshakes ${edge} `, kept);
  // No more than a /24 of anybody's address may be kept (access.md §10), and that is too little to count by.
  const fromAddress = (address: string) => addresses(kept?.hidden(address) ?? address);
  return { fromAddress, ofStudent: students };
}

function openCount(points: number, prefix: string, kept: KeptValues | undefined) {
  const limiter = new RateLimiterMemory({ points, duration: WINDOW_S });
  const restored = [...(kept?.startingWith(prefix) ?? [])].map(([name, [count = 0, expiresAt = 0]]) => ({
    key: name.slice(prefix.length),
    value: count,
    expiresAt,
  }));
  limiter.restore({ version: 1, storage: restored });
  return async (key: string): Promise<number> => {
    const { wait, count, leftMs } = await consume(limiter, key);
    const until = Date.now() + leftMs;
    // Past the limit more of them change nothing, and whoever sends many should cost little.
    if (count <= points + 1) kept?.put(prefix + key, until, [count, until]);
    return wait;
  };
}

/** The library answers a full bucket by rejecting with what it knows, not with an error. */
async function consume(limiter: RateLimiterMemory, key: string) {
  try {
    const { consumedPoints: count, msBeforeNext: leftMs } = await limiter.consume(key);
    return { wait: 0, count, leftMs };
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    const { consumedPoints: count, msBeforeNext: leftMs } = refused;
    return { wait: leftMs, count, leftMs };
  }
}
