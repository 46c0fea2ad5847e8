import { seededRandom } from '#server/simulate/random.ts';
import { openSocketLane } from './batch-lane.ts';
import { type Kind, pickBy } from './kind.ts';
import { type EdgeName, type Lane, type Outcome, SILENT, type World } from './lane.ts';
import { openHttpLane, openObserverLane } from './other-lanes.ts';

export type KindResult = {
  readonly kind: Kind;
  readonly inputs: number;
  readonly unanswered: number;
  /** Ends that the kind may not have, and good events that were not stored, as sentences. */
  readonly wrong: readonly string[];
  readonly ends: ReadonlyMap<Outcome, number>;
};

/** Less than a token lives. */
const LANE_MS = 10 * 60_000;

function openLane(world: World, edge: EdgeName): Promise<Lane> {
  if (edge === 'http') return openHttpLane(world);
  return edge === 'observer' ? openObserverLane(world) : openSocketLane(world, edge);
}

/** Makes the inputs of one kind, each after and before a good event on the same connection while that stands. */
export async function runKind(world: World, kind: Kind, each: number, seed: number): Promise<KindResult> {
  const inputs = kind.oneIn ? Math.max(2 * kind.edges.length, Math.ceil(each / kind.oneIn)) : each;
  const random = seededRandom(seed);
  const lanes = new Map<EdgeName, Lane>();
  const openedAt = new Map<EdgeName, number>();
  const ends = new Map<Outcome, number>();
  const wrong: string[] = [];
  let unanswered = 0;
  const laneOf = async (edge: EdgeName): Promise<Lane> => {
    const known = lanes.get(edge);
    const age = performance.now() - (openedAt.get(edge) ?? 0);
    if (known?.isOpen() && age < LANE_MS) return known;
    known?.close();
    const opened = await openLane(world, edge);
    openedAt.set(edge, performance.now());
    lanes.set(edge, opened);
    return opened;
  };
  const perEdge = Math.ceil(inputs / kind.edges.length);
  for (let k = 0; k < inputs; k++) {
    const edge = pickBy(kind.edges, Math.floor(k / perEdge));
    const lane = await laneOf(edge);
    if (!(await lane.good())) wrong.push(`${edge} ${k}: the good event before it was not stored`);
    const outcome = await kind.run({ world, lane, random, i: k });
    ends.set(outcome, (ends.get(outcome) ?? 0) + 1);
    if (outcome === SILENT) unanswered += 1;
    else if (!kind.ends.includes(outcome)) wrong.push(`${edge} ${k}: ended as ${outcome}`);
    if (lane.isOpen() && !(await lane.good()) && lane.isOpen())
      wrong.push(`${edge} ${k}: the good event after it was not stored`);
  }
  for (const lane of lanes.values()) lane.close();
  return { kind, inputs, unanswered, wrong, ends };
}
