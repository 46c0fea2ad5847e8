import type fc from 'fast-check';

/** A sentence that holds for every input that its arbitrary makes. */
export type Property = {
  readonly name: string;
  readonly of: () => fc.IRawProperty<unknown>;
};
