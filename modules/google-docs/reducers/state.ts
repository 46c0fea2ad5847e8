import { type Clock, NEW_CLOCK } from '#modules/writing/clock.ts';
import { type Body, EMPTY_BODY } from '#modules/writing/edit.ts';

/** What was met beside text: loads that mended gaps, commands left out or not understood, suggested characters. */
export type Counts = {
  readonly healed: number;
  readonly skipped: number;
  readonly uncertain: number;
  readonly suggested: { readonly ins: number; readonly del: number };
  readonly unknown: { readonly [ty: string]: number };
};

/**
 * One Google document of one student. `keys`: the last key presses, to fold each once. `visible`: as far as the page tells.
 * `isOpen`: it was announced.
 */
export type DocText = {
  readonly main: Body;
  readonly tabs: { readonly [tab: string]: Body };
  readonly title: string | null;
  readonly counts: Counts;
  readonly deleted: readonly string[];
  readonly clock: Clock;
  readonly keys: readonly string[];
  readonly visible: boolean;
  readonly isOpen: boolean;
};

export const NEW_DOC_TEXT: DocText = {
  main: EMPTY_BODY,
  tabs: {},
  title: null,
  counts: { healed: 0, skipped: 0, uncertain: 0, suggested: { ins: 0, del: 0 }, unknown: {} },
  deleted: [],
  clock: NEW_CLOCK,
  keys: [],
  visible: true,
  isOpen: false,
};
