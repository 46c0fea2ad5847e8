import type { Reducer, StateOf } from '#modules/kit/index.ts';
import type { StateKey } from '#server/state/state-key.ts';

/** Why a key of a reducer stands still. The message may quote a student's text: it stays with the state. */
export type Halt = {
  readonly position: string;
  readonly at: number;
  readonly code: 'threw' | 'not-json' | 'too-big' | 'too-many-emits';
  readonly message: string;
};

/** One state as rows see it. `halt`: why this key, or one that feeds it, stands still. */
export type Held = { readonly key: StateKey; readonly state: unknown; readonly halt: Halt | null };

/** What rows see of the owner: reads of hot states, and a call for each change. */
export type States = {
  /** As `read`, for a student who is in memory, without a promise on the way; null for any other. */
  held(reducer: Reducer, fields: Readonly<Record<string, string>>): Held | null;
  /** The state, or `initial`; from memory where the student is hot. `halt` when this key, or one that feeds it, stands still. */
  read<R extends Reducer>(
    reducer: R,
    fields: Readonly<Record<string, string>>,
  ): Promise<{ readonly state: StateOf<R>; readonly halt: Halt | null }>;
  /**
   * Hears the keys that one entry changed, at once after it was applied, with the student they belong to. `at`: when the
   * entry was received, ms; absent after a rebuild.
   */
  onChange(listener: (student: string, keys: readonly StateKey[], at?: number) => void): () => void;
  /** False while the owner still folds what the archive holds (start, rebuild) for this student. */
  isReady(student: string): boolean;
};
