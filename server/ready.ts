import type { RefusedCode } from './errors.ts';
import type { OwnerStatus } from './stream/owner.ts';

export type ReadyFacts = {
  readonly archive: { readonly refusing: RefusedCode | null; readonly pressure: number };
  readonly owner: Pick<OwnerStatus, 'phase' | 'behind' | 'isStoreSilent'>;
  readonly isOverloaded: boolean;
  readonly isStopping: boolean;
};

export type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> };

/**
 * Whether new traffic should come here: is what students' tools send accepted? A state store that is silent does not
 * change that (delivery.md §12), so it is told and not waited for; an owner that starts on one that answers is.
 */
export function readiness({ archive, owner, isOverloaded, isStopping }: ReadyFacts): Readiness {
  const refusing = archive.refusing ?? (archive.pressure >= 1 ? 'busy' : null);
  const isFolding = owner.phase === 'running' || (owner.phase === 'starting' && owner.isStoreSilent);
  return {
    ready: refusing === null && isFolding && !isOverloaded && !isStopping,
    checks: {
      archive: refusing ?? 'accepting',
      states: owner.isStoreSilent ? `${owner.phase}, the store is silent` : owner.phase,
      behind: String(owner.behind),
      process: isStopping ? 'stopping' : isOverloaded ? 'overloaded' : 'running',
    },
  };
}
