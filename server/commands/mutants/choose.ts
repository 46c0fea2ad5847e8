import type { Mutant } from './mutant.ts';

export type Choice = {
  readonly only?: readonly string[];
  readonly isAll: boolean;
  /** How many, about. */
  readonly sample: number;
  /** Which share of them: as many seeds in a row as there are shares meet every quick mutant once. */
  readonly seed: number;
};

/** `--only` takes a name with all its letters: `M5` is `M5a`, `M5b` and `M5c`. Throws where it means nothing. */
export function choose(all: readonly Mutant[], choice: Choice): readonly Mutant[] {
  const { only, isAll, sample, seed } = choice;
  if (only) return only.flatMap((name) => named(all, name));
  if (isAll) return all;
  const quick = all.filter(({ isSlow }) => !isSlow);
  const shares = Math.ceil(quick.length / sample);
  return quick.filter((_, i) => i % shares === seed % shares);
}

function named(all: readonly Mutant[], name: string): readonly Mutant[] {
  const found = all.filter(({ id }) => id === name || id.replace(/[a-z]$/, '') === name);
  if (found.length === 0) throw new Error(`unknown mutant: ${name}`);
  return found;
}
