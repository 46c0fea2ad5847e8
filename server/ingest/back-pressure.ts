import type { OpenConnection } from './connections.ts';
import type { Core } from './core.ts';

const SLOW_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 50;

export type BackPressure = {
  /** Call when a frame came in. */
  check(connection: OpenConnection): void;
  /** Call when one was answered. */
  relieve(connection: OpenConnection): void;
  forget(connection: OpenConnection): void;
};

/** Stops reading a socket whose answers are outstanding, or all of them while the append queue is full (delivery.md §11). */
export function openBackPressure(core: Core, connections: ReadonlySet<OpenConnection>): BackPressure {
  const { limits, archive, clock } = core;
  const stalled = new Set<OpenConnection>();
  let toldSlowAt = Number.NEGATIVE_INFINITY;
  let isWatching = false;

  const isFull = (connection: OpenConnection) =>
    connection.unansweredEvents >= limits.unansweredEvents ||
    connection.unansweredBytes >= limits.unansweredBytes;
  const pause = (connection: OpenConnection) => {
    if (connection.isPaused) return;
    connection.isPaused = true;
    connection.peer.pause();
  };
  const relieve = (connection: OpenConnection) => {
    if (!connection.isPaused || stalled.has(connection) || isFull(connection) || core.isStopping) return;
    connection.isPaused = false;
    connection.peer.resume();
  };
  const tellSlow = () => {
    const now = clock.monotonic();
    if (now - toldSlowAt < SLOW_EVERY_MS) return;
    toldSlowAt = now;
    for (const { peer } of connections) peer.push('slow', { ms: SLOW_EVERY_MS });
  };

  /** By the clock, since an archive that refuses makes nothing durable that could be heard. */
  const watch = () => {
    if (isWatching) return;
    isWatching = true;
    setTimeout(() => {
      isWatching = false;
      if (archive.pressure() >= limits.slowAt) {
        watch();
        return;
      }
      const freed = [...stalled];
      stalled.clear();
      for (const connection of freed) relieve(connection);
    }, LOOK_EVERY_MS).unref();
  };

  return {
    check(connection: OpenConnection): void {
      if (isFull(connection)) pause(connection);
      const pressure = archive.pressure();
      if (pressure < limits.slowAt) return;
      tellSlow();
      if (pressure < limits.pauseAt) return;
      stalled.add(connection);
      pause(connection);
      watch();
    },
    relieve,
    forget: (connection: OpenConnection) => stalled.delete(connection),
  };
}
