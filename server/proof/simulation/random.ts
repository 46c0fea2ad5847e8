/** Everything that a run leaves to chance, from one seed. Forks are independent, so what one draws changes no other. */
export type Random = {
  /** 0 ≤ n < 1. */
  next(): number;
  /** Whole, 0 ≤ n < `limit`. */
  below(limit: number): number;
  /** Whole, from ≤ n ≤ to. */
  between(from: number, to: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  fork(name: string): Random;
};

/** Mulberry32 (public domain). */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (from, to) => from + below(to - from + 1),
    chance: (share) => next() < share,
    pick: (from) => from[below(from.length)] ?? from[0],
    fork: (name) => randomOf(mixIn(seed, name)),
  };
}

/** FNV-1a over the name, begun at the seed. */
function mixIn(seed: number, name: string): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
}
