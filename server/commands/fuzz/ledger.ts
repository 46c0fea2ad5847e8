import type { ReadArchive } from '#server/proof/archive-reader.ts';

/** An event that was acknowledged as stored: the archive must hold it once, whole, under its student. */
export type Good = { readonly student: string; readonly body: Readonly<Record<string, unknown>> };

/** What the clients of the fuzz test know. */
export type Ledger = {
  readonly good: Map<string, Good>;
  /** Sent and not acknowledged as stored: may be there once, or not at all. */
  readonly maybe: Map<string, Good>;
  readonly complaints: string[];
};

export function newLedger(): Ledger {
  return { good: new Map(), maybe: new Map(), complaints: [] };
}

/** Every acknowledged event that is missing, doubled, changed or under another student, and every one that nobody sent. */
export function compareArchive(
  ledger: Ledger,
  archive: ReadArchive,
): { lost: string[]; stored: number; bad: number } {
  const found = new Map<string, Good>();
  const lost: string[] = [];
  let stored = 0;
  let bad = 0;
  for (const entry of archive.entries) {
    if (entry.k === 'bad') bad += 1;
    if (entry.src === 'blob') stored += entry.ev?.length ?? 0;
    if (entry.k !== 'batch' || entry.src !== 'fuzz') continue;
    for (const { body } of entry.ev ?? []) {
      const tag = String(body.tag);
      stored += 1;
      if (found.has(tag)) lost.push(`${tag} is stored twice`);
      found.set(tag, { student: entry.s ?? '', body });
      if (!ledger.good.has(tag) && !ledger.maybe.has(tag)) lost.push(`${tag} was never sent`);
    }
  }
  for (const [tag, sent] of ledger.good) {
    const there = found.get(tag);
    if (!there) lost.push(`${tag} was acknowledged and is not stored`);
    else if (there.student !== sent.student)
      lost.push(`${tag} of ${sent.student} is stored under ${there.student}`);
    else if (JSON.stringify(there.body) !== JSON.stringify(sent.body)) lost.push(`${tag} is stored changed`);
  }
  return { lost, stored, bad };
}
