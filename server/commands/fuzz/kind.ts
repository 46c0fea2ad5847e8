import type { Random } from '#server/simulate/random.ts';
import type { SocketLane } from './batch-lane.ts';
import type { BatchLane, EdgeName, Lane, Outcome, World } from './lane.ts';
import type { HttpLane, ObserverLane } from './other-lanes.ts';

export type Turn<L extends Lane> = {
  readonly world: World;
  readonly lane: L;
  readonly random: Random;
  /** Counts the inputs of a kind from 0, so that its variants take turns. */
  readonly i: number;
};

/** One way to be broken (delivery.md §16), and every end that it may have. */
export type Kind<L extends Lane = Lane> = {
  readonly name: string;
  readonly group: 'transport' | 'engine' | 'json' | 'envelope';
  readonly edges: readonly EdgeName[];
  readonly ends: readonly Outcome[];
  /** Makes one bad input on the lane and tells how it ended. */
  readonly run: (turn: Turn<L>) => Promise<Outcome>;
  /** Only one input in so many is made: each costs megabytes or seconds. */
  readonly oneIn?: number;
};

export const SOCKETS: readonly EdgeName[] = ['socket.io', 'plain', 'observer'];
export const BATCHES: readonly EdgeName[] = ['socket.io', 'plain', 'http'];
export const ALL: readonly EdgeName[] = [...SOCKETS, 'http'];

/** The runner opens the lane of the edge that a kind names, so that a kind may say what it works on. */
export const onAny = (kind: Kind): Kind => kind;
export const onBatches = (kind: Kind<BatchLane>): Kind => kind as unknown as Kind;
export const onSockets = (kind: Kind<SocketLane | ObserverLane>): Kind => kind as unknown as Kind;
export const onSocketLanes = (kind: Kind<SocketLane>): Kind => kind as unknown as Kind;
export const onObserver = (kind: Kind<ObserverLane>): Kind => kind as unknown as Kind;
export const onHttp = (kind: Kind<HttpLane>): Kind => kind as unknown as Kind;

export function pickBy<T>(from: readonly T[], i: number): T {
  return from[i % from.length] as T;
}
