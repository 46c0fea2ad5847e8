import type { BlobSaves } from './blobs.ts';
import type { Ingest } from './ingest.ts';
import type { AllParks } from './observer-park.ts';
import type { ObserverSockets } from './observer-sockets.ts';

/** What the session does with its socket. */
export type ObserverWire = {
  send(frame: object): void;
  bufferedBytes(): number;
  /** Pauses or resumes the reading for one of several reasons. */
  hold(reason: string, isHeld: boolean): void;
  close(code: number): void;
};

/** What all sockets of the edge have in common. */
export type ObserverShared = {
  readonly ingest: Ingest;
  readonly parks: AllParks;
  readonly blobs: BlobSaves;
  readonly sockets: ObserverSockets;
  /** Students whose last socket ended with `terminate`: old clients come straight back and stay silent. */
  readonly terminated: Set<string>;
};
