import type { Trouble } from '#modules/kit/index.ts';
import type { AppErrorCode } from '#server/errors.ts';

/** The wire between a dashboard and the server, Socket.IO namespace `/live` (wire.md part C). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type Subscribe = {
  readonly classroom: string;
  readonly module: string;
  readonly query: string;
  readonly params?: { readonly [name: string]: Json };
  readonly student?: string;
};
export type Row = {
  readonly student: { readonly id: string; readonly name: string };
  readonly [field: string]: Json;
};
export type Opened = {
  readonly ok: true;
  readonly channel: string;
  readonly n: 0;
  readonly at: number;
  readonly frame?: Json;
  readonly rows: readonly Row[];
  readonly params: { readonly [name: string]: Json };
  readonly trouble: { readonly [student: string]: Trouble };
};
export type NotOpened = {
  readonly ok: false;
  readonly code: AppErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
};
/** A string, where the piece between common beginning and end is shorter than the whole. */
export type Splice = { readonly $: readonly [at: number, cut: number, put: string] };
export type Delta = {
  readonly channel: string;
  readonly n: number;
  readonly at: number;
  readonly frame?: Json;
  readonly set?: { readonly [student: string]: { readonly [field: string]: Json | Splice } };
  readonly unset?: { readonly [student: string]: readonly string[] };
  readonly gone?: readonly string[];
  readonly order?: readonly string[];
  readonly trouble?: { readonly [student: string]: Trouble | null };
};
export type Act = {
  readonly classroom: string;
  readonly student: string;
  readonly cause: string;
  readonly did: 'seen' | 'snoozed' | 'helped';
  readonly ms?: number;
};
export type Asked = {
  subscribe(subscribe: Subscribe, answer: (opened: Opened | NotOpened) => void): void;
  unsubscribe(channel: string): void;
  act(act: Act, answer: (done: { readonly ok: true } | NotOpened) => void): void;
};
export type Told = {
  rows(delta: Delta): void;
  refused(message: { readonly channel: string; readonly code: AppErrorCode; readonly reason: string }): void;
  'going-away'(message: { readonly reconnectAfterMs: number }): void;
};
