import type { Sent } from '#server/ingest/protocol.ts';

/** How a client was told that one of its events ended; `ended`: it heard only that it had its end. */
export type Told = 'ended' | 'bad' | 'declined';

/** One event that a client captured, and all that it knows of it. */
export type Captured = {
  readonly id: string;
  readonly student: string;
  readonly sent: Sent;
  /** Null: the client has it still. */
  told: Told | null;
  /** The client gave it up before it heard of its end: it may be in the archive, or not. */
  isGivenUp: boolean;
};

/** What clients know, kept apart from what the server says it did. */
export type Ledger = {
  readonly events: Map<string, Captured>;
  /** Broken promises that a client notices by itself, a sentence each. */
  readonly complaints: string[];
  /** Frames that were no batch and were answered as bad. */
  badFrames: number;
};

export function openLedger(): Ledger {
  return { events: new Map(), complaints: [], badFrames: 0 };
}
