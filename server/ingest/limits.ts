import type { RefusedCode } from '#server/errors.ts';
import type { KeptValues } from './kept-values.ts';

/** Every limit of the ingest edges (delivery.md §11, wire.md §A12 and part B), so that a benchmark can lift them. */
export type IngestLimits = {
  readonly frameBytes: number;
  readonly frameEvents: number;
  readonly unansweredEvents: number;
  readonly unansweredBytes: number;
  readonly eventsPerSecond: number;
  readonly burst: number;
  /** From this share of the burst on the client is told to slow down. */
  readonly slowBelow: number;
  readonly catchUpAfterMs: number;
  readonly catchUpPerSecond: number;
  readonly catchUpPerDay: number;
  readonly bytesPerDay: number;
  readonly socketsPerStudent: number;
  readonly proveWithinMs: number;
  readonly provingPerAddress: number;
  readonly httpBytes: number;
  /** Shares of the append queue. */
  readonly slowAt: number;
  readonly pauseAt: number;
  readonly catchUpBelow: number;
  readonly handshakesPerAddress: number;
  readonly handshakesPerStudent: number;
  readonly old: OldProtocolLimits;
};

/** The predecessor's protocol (wire.md §A12): its clients keep nothing, so limits stop the reading. */
export type OldProtocolLimits = {
  readonly frameBytes: number;
  readonly stringCharacters: number;
  readonly lockedBytes: number;
  readonly lockedDepth: number;
  readonly parkBytes: number;
  readonly parkMs: number;
  readonly roomyParkBytes: number;
  readonly roomyParkMs: number;
  readonly allParksBytes: number;
  readonly bytesBeforeIdentity: number;
  readonly unidentifiedPerAddress: number;
  readonly activeSockets: number;
  readonly silentSockets: number;
  readonly heldBytes: number;
  readonly heldMs: number;
  readonly blockedMs: number;
  readonly pingEveryMs: number;
  readonly aliveEveryMs: number;
  readonly answersPerSecond: number;
  readonly bufferedBytes: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: IngestLimits = {
  frameBytes: 64 * KIB,
  frameEvents: 64,
  unansweredEvents: 64,
  unansweredBytes: 256 * KIB,
  eventsPerSecond: 40,
  burst: 400,
  slowBelow: 0.25,
  catchUpAfterMs: 60_000,
  catchUpPerSecond: 1_000,
  catchUpPerDay: 60_000,
  bytesPerDay: 256 * MIB,
  socketsPerStudent: 4,
  proveWithinMs: 5_000,
  provingPerAddress: 20,
  httpBytes: 16 * MIB,
  slowAt: 0.5,
  pauseAt: 0.8,
  catchUpBelow: 0.25,
  handshakesPerAddress: 2_000,
  handshakesPerStudent: 60,
  old: {
    frameBytes: 32 * MIB,
    stringCharacters: 2 * MIB,
    lockedBytes: 64 * KIB,
    lockedDepth: 8,
    parkBytes: 256 * KIB,
    parkMs: 10_000,
    roomyParkBytes: 8 * MIB,
    roomyParkMs: 60_000,
    allParksBytes: 128 * MIB,
    bytesBeforeIdentity: 16 * MIB,
    unidentifiedPerAddress: 2_000,
    activeSockets: 16,
    silentSockets: 64,
    heldBytes: 8 * MIB,
    heldMs: 60_000,
    blockedMs: 600_000,
    pingEveryMs: 25_000,
    aliveEveryMs: 20_000,
    answersPerSecond: 10,
    bufferedBytes: 64 * KIB,
  },
};

/** What one student has used. Shared by all connections of the student: a limit never depends on the socket. */
export type Meter = {
  readonly student: string;
  tokens: number;
  catchUpTokens: number;
  refilledAt: number;
  day: number;
  bytesToday: number;
  caughtUpToday: number;
  users: number;
  /** Null: its use ends with the process. */
  readonly kept: KeptValues | null;
  /** Shares of its limits that were used since they were kept last, added up; infinite before the first use. */
  unkept: number;
};

export type Verdict = { readonly code: RefusedCode; readonly retryAfterMs: number };

const DAY_MS = 86_400_000;
/**
 * A meter is kept after each of these shares of a limit, not at each frame: a process that was killed may have used as much
 * since, so its successor takes it as used.
 */
const KEPT_SHARE = 1 / 16;

/**
 * Counts per student. An ingest token, a session and an installation belong to one student, so the student's meter
 * bounds them too. A bucket of a few lines and no promise, because this runs for each frame: the rate-limit library
 * answers by promise, which costs more than all the rest of a frame's checks. `kept`: where use outlives the process.
 */
export function openMeters(
  limits: IngestLimits,
  kept?: KeptValues,
): {
  readonly meterOf: (student: string, monotonicMs: number) => Meter;
  readonly release: (meter: Meter, nowMs: number) => void;
  /** Keeps what is used exactly; for the end of the process. */
  readonly keepAll: (nowMs: number, monotonicMs: number) => void;
  readonly size: () => number;
} {
  const meters = new Map<string, Meter>();
  let sweptOn = 0;
  return {
    meterOf(student, monotonicMs) {
      const known = meters.get(student);
      const meter = known ?? newMeter(student, limits, monotonicMs, kept ?? null);
      if (!known) meters.set(student, meter);
      meter.users += 1;
      return meter;
    },
    release(meter, nowMs) {
      meter.users -= 1;
      const today = Math.floor(nowMs / DAY_MS);
      if (today === sweptOn) return;
      // A meter outlives its connections to the end of the day, so that reconnecting resets nothing.
      sweptOn = today;
      for (const [student, old] of meters) if (old.users === 0 && old.day < today) meters.delete(student);
    },
    keepAll(nowMs, monotonicMs) {
      for (const meter of meters.values()) {
        if (!isUsed(meter)) continue;
        refill(meter, limits, { nowMs, monotonicMs });
        keep(meter, limits, nowMs, 0);
      }
    },
    size: () => meters.size,
  };
}

function newMeter(
  student: string,
  limits: IngestLimits,
  monotonicMs: number,
  kept: KeptValues | null,
): Meter {
  return {
    student,
    tokens: limits.burst,
    catchUpTokens: limits.catchUpPerSecond,
    refilledAt: monotonicMs,
    day: 0,
    bytesToday: 0,
    caughtUpToday: 0,
    users: 0,
    kept,
    unkept: Number.POSITIVE_INFINITY,
  };
}

/** What a frame asks for: its events, its bytes, and whether it is old (captured over a minute ago). */
export type Wanted = {
  readonly events: number;
  readonly bytes: number;
  readonly isOld: boolean;
  readonly nowMs: number;
  readonly monotonicMs: number;
};

/** Takes what a frame needs, or takes nothing and says why. */
export function take(meter: Meter, limits: IngestLimits, wanted: Wanted): Verdict | null {
  if (meter.kept && !isUsed(meter)) recall(meter, meter.kept, limits, wanted);
  refill(meter, limits, wanted);
  if (meter.bytesToday + wanted.bytes > limits.bytesPerDay) return overQuota(wanted.nowMs);
  if (wanted.isOld && meter.caughtUpToday + wanted.events <= limits.catchUpPerDay) {
    if (meter.catchUpTokens < wanted.events) {
      return {
        code: 'rate-limited',
        retryAfterMs: waitMs(wanted.events - meter.catchUpTokens, limits.catchUpPerSecond),
      };
    }
    meter.catchUpTokens -= wanted.events;
    meter.caughtUpToday += wanted.events;
    meter.unkept += wanted.events / limits.catchUpPerSecond;
  } else {
    if (meter.tokens < wanted.events) {
      return {
        code: 'rate-limited',
        retryAfterMs: waitMs(wanted.events - meter.tokens, limits.eventsPerSecond),
      };
    }
    meter.tokens -= wanted.events;
    meter.unkept += wanted.events / limits.burst;
  }
  meter.bytesToday += wanted.bytes;
  meter.unkept += wanted.bytes / limits.bytesPerDay;
  if (meter.kept && meter.unkept > KEPT_SHARE) keep(meter, limits, wanted.nowMs, KEPT_SHARE);
  return null;
}

/** `reserve`: the share of each limit that may be used before it is kept again. */
function keep(meter: Meter, limits: IngestLimits, nowMs: number, reserve: number): void {
  const { day, bytesToday, caughtUpToday, tokens, catchUpTokens } = meter;
  const untilFull = nowMs + 1000 * Math.max(1, limits.burst / limits.eventsPerSecond);
  const until = Math.max((day + 1) * DAY_MS, untilFull);
  const values = [day, bytesToday, caughtUpToday, tokens, catchUpTokens, nowMs, reserve];
  meter.kept?.put(nameOf(meter.student), until, values);
  meter.unkept = 0;
}

/** What a process before this one kept: the least that it may have left over. */
function recall(meter: Meter, values: KeptValues, limits: IngestLimits, { nowMs, monotonicMs }: Times): void {
  const kept = values.get(nameOf(meter.student));
  if (!kept) return;
  const [day = 0, bytes = 0, caughtUp = 0, tokens = 0, catchUpTokens = 0, at = 0, reserve = 0] = kept;
  const { burst, eventsPerSecond, catchUpPerSecond, catchUpPerDay, bytesPerDay } = limits;
  const seconds = Math.max(0, nowMs - at) / 1000;
  const left = (had: number, perSecond: number, most: number) =>
    Math.max(0, Math.min(most, had + seconds * perSecond) - reserve * most);
  meter.refilledAt = monotonicMs;
  meter.day = day;
  meter.bytesToday = bytes + reserve * bytesPerDay;
  meter.caughtUpToday = caughtUp + reserve * catchUpPerDay;
  meter.tokens = left(tokens, eventsPerSecond, burst);
  meter.catchUpTokens = left(catchUpTokens, catchUpPerSecond, catchUpPerSecond);
}

function isUsed(meter: Meter): boolean {
  return meter.unkept < Number.POSITIVE_INFINITY;
}

function nameOf(student: string): string {
  return `use ${student}`;
}

type Times = Pick<Wanted, 'nowMs' | 'monotonicMs'>;

function refill(meter: Meter, limits: IngestLimits, wanted: Times): void {
  const seconds = Math.max(0, wanted.monotonicMs - meter.refilledAt) / 1000;
  meter.refilledAt = wanted.monotonicMs;
  meter.tokens = Math.min(limits.burst, meter.tokens + seconds * limits.eventsPerSecond);
  meter.catchUpTokens = Math.min(
    limits.catchUpPerSecond,
    meter.catchUpTokens + seconds * limits.catchUpPerSecond,
  );
  const day = Math.floor(wanted.nowMs / DAY_MS);
  if (day === meter.day) return;
  meter.day = day;
  meter.bytesToday = 0;
  meter.caughtUpToday = 0;
}

function overQuota(nowMs: number): Verdict {
  return { code: 'daily-quota', retryAfterMs: DAY_MS - (nowMs % DAY_MS) };
}

function waitMs(missing: number, perSecond: number): number {
  return Math.max(1, Math.ceil((missing / perSecond) * 1000));
}

/** How long the client should wait before its next batch; 0: no need. Heard before anything is refused. */
export function slowDownMs(meter: Meter, limits: IngestLimits): number {
  const floor = limits.burst * limits.slowBelow;
  return meter.tokens >= floor ? 0 : waitMs(floor - meter.tokens, limits.eventsPerSecond);
}
