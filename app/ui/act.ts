'use client';
import { createContext, useContext } from 'react';

/** What a teacher does about one cause of one student in the needs-me queue; `ms`: how long, for `snoozed`. */
export type ActRequest = {
  readonly student: string;
  readonly cause: string;
  readonly did: 'seen' | 'snoozed' | 'helped';
  readonly ms?: number;
};
/** `message`: one sentence why it did not happen. */
export type ActResult = { readonly ok: true } | { readonly ok: false; readonly message: string };
export type Act = (request: ActRequest) => Promise<ActResult>;

/** Filled by the live dashboard; a view never meets the connection. */
export const ActContext = createContext<Act>(() =>
  Promise.resolve({ ok: false, message: 'this view is not connected' }),
);

/** What a view calls when the teacher does something. The row that changes by it comes over the live connection. */
export function useAct(): Act {
  return useContext(ActContext);
}
