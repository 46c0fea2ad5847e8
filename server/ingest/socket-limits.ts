import { RateLimiterMemory } from 'rate-limiter-flexible';
import { CLOSE } from '#server/errors.ts';
import type { OpenConnection } from './connections.ts';
import type { Ingest } from './ingest.ts';

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

export function openHandshakes(limits: {
  readonly handshakesPerAddress: number;
  readonly handshakesPerStudent: number;
}): Handshakes {
  const addresses = new RateLimiterMemory({ points: limits.handshakesPerAddress, duration: 60 });
  const students = new RateLimiterMemory({ points: limits.handshakesPerStudent, duration: 60 });
  return {
    fromAddress: (address) => consume(addresses, address),
    ofStudent: (student) => consume(students, student),
  };
}

/** The library answers a full bucket by rejecting with what it knows, not with an error. */
async function consume(limiter: RateLimiterMemory, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refused) {
    return typeof refused === 'object' && refused !== null && 'msBeforeNext' in refused
      ? Number(refused.msBeforeNext)
      : 1_000;
  }
}
