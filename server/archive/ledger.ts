import type { Archive } from './archive.ts';
import type { Draft, Entry } from './entry.ts';

/** What a client of the archive knows: what was answered, and how. For tests. */
export type Ledger = {
  readonly stored: Map<string, number>;
  readonly refused: Set<string>;
  readonly unanswered: Set<string>;
};

export function createLedger(): Ledger {
  return { stored: new Map(), refused: new Set(), unanswered: new Set() };
}

/** Appends drafts as one, under the producers they name; resolves when they are answered. */
export function appendTo(archive: Archive, ledger: Ledger, drafts: readonly Draft[]): Promise<void> {
  const names = drafts.map(nameOf);
  for (const name of names) ledger.unanswered.add(name);
  return new Promise((resolve) =>
    archive.append(drafts, (refused, first) => {
      names.forEach((name, i) => {
        ledger.unanswered.delete(name);
        if (refused) ledger.refused.add(name);
        else ledger.stored.set(name, first + i);
      });
      resolve();
    }),
  );
}

export function nameOf(entry: Draft): string {
  return `${entry.p}:${entry.e}:${entry.f}`;
}

/** Every broken promise as a sentence; empty when the archive kept all. */
export function complaints(ledger: Ledger, entries: readonly Entry[]): string[] {
  const found: string[] = [];
  const at = new Map<string, number>();
  entries.forEach((entry, i) => {
    if (entry.o !== i) found.push(`offset ${entry.o} in the place of ${i}`);
    if (entry.k === 'mark') return;
    const name = nameOf(entry);
    if (at.has(name)) found.push(`${name} is there twice`);
    at.set(name, entry.o);
  });
  for (const [name, offset] of ledger.stored) {
    if (at.get(name) !== offset)
      found.push(`${name} was acknowledged at ${offset} and is at ${at.get(name)}`);
  }
  for (const name of ledger.refused) if (at.has(name)) found.push(`${name} was refused and is stored`);
  return found;
}
