import type { BadCode, DeclinedCode } from '#server/errors.ts';

/** The wire between a student's tool and the server: Socket.IO namespace `/ingest`, event `m` (wire.md part B). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `oldest`: lowest seq still held, or the next unused one. `now`: the client's clock, ms. */
export type Hello = {
  readonly v: 1;
  readonly type: 'hello';
  readonly producer: string;
  readonly epoch: number;
  readonly oldest: number;
  readonly now: number;
};
export type Sent = {
  readonly event: string;
  readonly sentAt: number;
  readonly tick?: number;
  readonly body: { readonly [field: string]: Json };
};
/** Event i has seq `from + i`. Over HTTP also `oldest` and `now`. */
export type Batch = {
  readonly v: 1;
  readonly type: 'events';
  readonly producer: string;
  readonly epoch: number;
  readonly from: number;
  readonly source: string;
  readonly events: readonly Sent[];
};
export type Token = { readonly v: 1; readonly type: 'token'; readonly token: string };

export type Limits = {
  readonly frameBytes: number;
  readonly events: number;
  readonly unansweredEvents: number;
  readonly unansweredBytes: number;
};
export type Welcome = {
  readonly type: 'welcome';
  readonly next: number;
  readonly at: number;
  readonly limits: Limits;
};
export type Bad = { readonly seq: number; readonly code: BadCode; readonly message: string };
export type Declined = { readonly from: number; readonly to: number; readonly code: DeclinedCode };
/** Every seq ≤ `upTo` has its end, durably. */
export type Stored = {
  readonly type: 'stored';
  readonly upTo: number;
  readonly bad: readonly Bad[];
  readonly declined?: readonly Declined[];
  readonly slowDownMs?: number;
};
export type Refused = {
  readonly type: 'refused';
  readonly code: string;
  readonly message: string;
  readonly from?: number;
  readonly expected?: number;
  readonly retryAfterMs?: number;
};
export type BadFrame = { readonly type: 'bad-frame'; readonly code: BadCode; readonly message: string };
export type Answer = Welcome | Stored | Refused | BadFrame;

export type Pushed = {
  slow(message: { readonly ms: number }): void;
  reauth(message: { readonly expiresAt: number }): void;
  policy(message: {
    readonly action: 'send' | 'hold' | 'drop';
    readonly until?: number;
    readonly reason: string;
  }): void;
  'going-away'(message: { readonly reconnectAfterMs: number }): void;
  stop(message: { readonly code: string; readonly until?: number }): void;
};
