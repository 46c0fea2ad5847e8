import type { Folded } from './plan.ts';

/** What the owner tells a watchdog, and hears from it. */
export type Watched = {
  readonly onStep: (reducer: number, offset: number, index: number) => void;
  readonly isStuck: (folded: Folded, position: string) => boolean;
};
