import type { z } from 'zod';
import type { EventOf, EventSource } from './event-source.ts';
import type { KeyOf, NeedsOf, Scope } from './scope.ts';

/** The declared events that a reducer may emit. */
export type Emits<S extends EventSource = EventSource, E extends string = string> = {
  readonly source: S;
  readonly events: readonly E[];
};

type EventName<S extends EventSource> = keyof S['events'] & string;

/** Narrows what a reducer emits to some events of a source. */
export function only<S extends EventSource, const E extends EventName<S>>(
  source: S,
  ...events: readonly E[]
): Emits<S, E> {
  return { source, events };
}

/** Adds an event to the cascade of the archived one; its id, student and `at` are derived from the parent's. */
export type Emit<S extends EventSource = any, E extends string = string> = <Name extends E>(
  name: Name,
  payload: z.input<S['events'][Name]>,
) => void;

/** A pure fold: one state per key of its scope, one step per event. */
export type Reducer<State = any, S extends Scope = Scope> = {
  readonly name: string;
  readonly version: number;
  readonly source: EventSource;
  readonly scope: S;
  readonly initial: State;
  readonly emits?: Emits;
  readonly on: Readonly<Record<string, (state: State, event: any, emit: any) => State>>;
};

export type StateOf<R> = R extends Reducer<infer State> ? State : never;
export type ReducerKey<R> = R extends Reducer<any, infer S> ? KeyOf<S> : never;

type EmitOf<E> =
  E extends Emits<infer S, infer Name>
    ? Emit<S, Name>
    : E extends EventSource
      ? Emit<E, EventName<E>>
      : never;

type Handlers<Src extends EventSource, S extends Scope, State, E> = {
  readonly [Name in keyof Src['events']]?: EventOf<Src, Name> extends NeedsOf<S>
    ? (state: State, event: EventOf<Src, Name>, emit: EmitOf<E>) => State
    : MissingKeyField<Name, NeedsOf<S>>;
};

type MissingKeyField<E, Needs> = {
  readonly error: `${E & string} lacks a field that the scope needs`;
  readonly needs: Needs;
};

/**
 * Declares a reducer. Steps MUST be pure and MUST return JSON (texts as the kit's `text`); the same reference
 * back means that nothing happened. A state whose shape changes MUST get a new `version`.
 */
export function defineReducer<
  Src extends EventSource,
  S extends Scope,
  State,
  E extends EventSource | Emits | undefined = undefined,
>(reducer: {
  readonly name: string;
  readonly version?: number;
  readonly source: Src;
  readonly scope: S;
  readonly initial: State;
  readonly emits?: E;
  readonly on: Handlers<Src, S, NoInfer<State>, NoInfer<E>>;
}): Reducer<State, S> {
  const { emits, ...rest } = reducer;
  return { version: 1, ...rest, ...(emits ? { emits: emitsOf(emits) } : {}) } as Reducer<State, S>;
}

function emitsOf(emits: EventSource | Emits): Emits {
  return 'source' in emits ? emits : { source: emits, events: Object.keys(emits.events) };
}
