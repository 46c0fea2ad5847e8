import type { z } from 'zod';

/** What the server adds to every event it accepts. Payload fields never override these. */
export type Envelope = {
  /** `producer:epoch:seq`; derived from the parent's for an emitted event. */
  readonly id: string;
  readonly source: string;
  readonly event: string;
  /** The person whose verified connection reported it. */
  readonly student: string;
  /** Server clock when the frame was read, in ms; never lower than that of the event before it in the archive. */
  readonly at: number;
  /** Client clock at capture, corrected by the offset measured at `hello`, in ms; absent when implausible. */
  readonly sentAt?: number;
};

export type Payloads = Readonly<Record<string, z.ZodObject>>;

/** A named set of event types with their schemas: the one place where bytes become types. */
export type EventSource<Name extends string = string, P extends Payloads = Payloads> = {
  /** The `source` that clients send. No match, no reducer. */
  readonly name: Name;
  readonly events: P;
  /** Pure rewriting of a body before its schema sees it: renamed or derived fields of old clients. */
  readonly before?: (event: string, body: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  /** Event types that clients send and nobody may keep: declined `source-not-allowed`, never stored. */
  readonly declines?: readonly string[];
  /** Event types larger than a frame (64 KiB), with their limit in bytes. */
  readonly maxBytes?: Readonly<Record<string, number>>;
  /** True for sources that only reducers or the server itself write: a client that sends one is refused. */
  readonly isInternal?: boolean;
};

export type EventOf<S extends EventSource, E extends keyof S['events']> = Envelope & {
  readonly event: E;
} & Readonly<z.output<S['events'][E]>>;

/** Declares an event source. Schemas strip what they do not name: what is not named is never archived. */
export function defineEventSource<const Name extends string, P extends Payloads>(
  source: EventSource<Name, P>,
): EventSource<Name, P> {
  return source;
}
