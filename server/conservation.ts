import type { Edge, EdgeCounts, IngestCounts } from './ingest/counts.ts';
import type { Log } from './log.ts';

/** Compares what came in with what became of it, while the server runs (delivery.md D2). */
export type Conservation = {
  /** Events of all edges that came in and have neither an end nor a place in flight, or that ended twice; 0 is right. */
  difference(): number;
  /** Looks now. A difference that was there at the last look too is logged. */
  check(): void;
  close(): void;
};

export type ConservationParts = {
  readonly counts: () => IngestCounts;
  readonly flight: () => Readonly<Record<Edge, number>>;
  readonly log: Log;
  readonly everyMs?: number;
};

const EVERY_MS = 10_000;

export function watchConservation(parts: ConservationParts): Conservation {
  const { counts, flight, log, everyMs = EVERY_MS } = parts;
  let seen: Readonly<Record<string, number>> = {};
  const differences = () => {
    const under = flight();
    return Object.fromEntries(
      Object.entries(counts().edges).map(([edge, ends]) => [edge, missing(ends, under[edge as Edge])]),
    );
  };
  const check = () => {
    const now = differences();
    for (const [edge, count] of Object.entries(now))
      if (count !== 0 && (seen[edge] ?? 0) !== 0) log.error({ edge, count }, 'events have no end, or two');
    seen = now;
  };
  const timer = setInterval(check, everyMs).unref();
  return {
    difference: () => Object.values(differences()).reduce((sum, one) => sum + Math.abs(one), 0),
    check,
    close: () => clearInterval(timer),
  };
}

function missing(ends: EdgeCounts, inFlight: number): number {
  return ends.received - ends.stored - ends.duplicate - ends.bad - ends.declined - ends.refused - inFlight;
}
