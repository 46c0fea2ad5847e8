import type { DeclinedCode, RefusedCode } from '#server/errors.ts';
import type { CollectionRules } from './identity.ts';

/** What an old client is told to do at its next event (wire.md §A8). */
export type Blocklist = {
  readonly status: 'blocklist';
  readonly action: 'MAINTAIN' | 'DROP';
  readonly time_limit: 'MINUTES' | 'DAYS' | 'PERMANENT' | number;
  readonly message: string;
  readonly code: string;
};

/** Undefined for what concerns this one event alone. */
export function dropFor(
  code: DeclinedCode,
  rules: CollectionRules,
  student: string,
  at: number,
): Blocklist | undefined {
  if (code === 'source-not-allowed') return undefined;
  const opensAt = code === 'outside-window' ? rules.reopensAt?.(student, at) : undefined;
  const forHowLong = typeof opensAt === 'number' ? Math.max(0, opensAt - at) : LIMITS[code];
  return {
    status: 'blocklist',
    action: 'DROP',
    time_limit: forHowLong,
    message: 'nothing may be collected now',
    code,
  };
}

const LIMITS: Readonly<Record<DeclinedCode, Blocklist['time_limit']>> = {
  'outside-window': 'MINUTES',
  'paused-by-student': 'MINUTES',
  'domain-declined': 'DAYS',
  'collection-off': 'PERMANENT',
  'student-erased': 'PERMANENT',
  'source-not-allowed': 'MINUTES',
};

export function holdFor(code: RefusedCode, retryAfterMs: number): Blocklist {
  const forHowLong = code === 'daily-quota' ? retryAfterMs : 'MINUTES';
  return {
    status: 'blocklist',
    action: 'MAINTAIN',
    time_limit: forHowLong,
    message: 'keep the events for later',
    code,
  };
}
