import type { Entry } from '#server/archive/entry.ts';
import type { EdgeCounts } from '#server/ingest/counts.ts';
import { canonicalJson } from '../fold.ts';
import type { Picture } from './faulty-store.ts';
import { type Expected, foldAll } from './folds.ts';
import type { Captured, Ledger } from './ledger.ts';

type End = { readonly is: 'stored' | 'bad' | 'declined'; readonly entry: Entry; readonly index: number };

/**
 * E1, E2, E3 and the clients' half of E7 (delivery.md §16), and more than they ask: what was not acknowledged, but was kept by
 * its client to the end, has arrived too. Gives broken promises, a sentence each.
 */
export function checkArchive(entries: readonly Entry[], ledger: Ledger, keepsFrames: boolean): string[] {
  const broken = [...ledger.complaints];
  const ends = new Map<string, End>();
  const lasts = new Map<string, number>();
  let at = 0;
  let badFrames = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.o !== i) broken.push(`entry ${i} has offset ${entry.o}`);
    if (entry.t < at) broken.push(`entry ${i} goes back in time`);
    at = entry.t;
    if (entry.bad && entry.f === undefined) badFrames += 1;
    else if (entry.bad?.code !== 'id-conflict') takeSeqs(entry, { ends, lasts, ledger, broken });
  }
  if (keepsFrames && badFrames < ledger.badFrames)
    broken.push(`${ledger.badFrames} bad frames were answered, ${badFrames} are there`);
  for (const one of ledger.events.values()) checkOne(one, ends.get(one.id), broken);
  return broken;
}

type Found = {
  readonly ends: Map<string, End>;
  readonly lasts: Map<string, number>;
  readonly ledger: Ledger;
  readonly broken: string[];
};

function takeSeqs(entry: Entry, { ends, lasts, ledger, broken }: Found): void {
  const { p, e, f } = entry;
  if (p === undefined || f === undefined) return;
  const isOfServer = p.startsWith('~');
  const is = entry.bad ? 'bad' : entry.declined ? 'declined' : 'stored';
  for (let index = 0; index < (entry.ev?.length ?? entry.n ?? 1); index++) {
    const id = `${p}:${e}:${f + index}`;
    const last = lasts.get(`${p}:${e}`) ?? 0;
    if (ends.has(id)) broken.push(`${id} is there twice, again at ${entry.o}`);
    else if (f + index <= last) broken.push(`${id} comes after ${last}`);
    if (!isOfServer && !ledger.events.has(id)) broken.push(`${id} was never captured`);
    for (let seq = last + 1; seq < f + index && !isOfServer; seq++)
      if (!ledger.events.get(`${p}:${e}:${seq}`)?.isGivenUp) broken.push(`${id} came before ${seq}`);
    ends.set(id, { is, entry, index });
    lasts.set(`${p}:${e}`, Math.max(last, f + index));
  }
}

function checkOne(one: Captured, end: End | undefined, broken: string[]): void {
  const { id, told, sent } = one;
  if (!end) {
    if (told) broken.push(`${id} was acknowledged and is lost`);
    else if (!one.isGivenUp) broken.push(`${id} never arrived`);
    return;
  }
  if (end.entry.s !== one.student) broken.push(`${id} is another student's`);
  if ((told === 'bad' || told === 'declined') && end.is !== told)
    broken.push(`${id} was told to be ${told} and is ${end.is}`);
  if (end.is === 'stored') {
    const event = end.entry.ev?.[end.index];
    const is = canonicalJson([event?.event, event?.sentAt, event?.body]);
    if (is !== canonicalJson([sent.event, sent.sentAt, sent.body])) broken.push(`${id} has other content`);
  }
  if (end.is === 'bad' && end.entry.bad?.original !== JSON.stringify(sent))
    broken.push(`${id} was kept as other text`);
}

/** E4 for one moment of the store: it holds the fold up to its checkpoint, byte by byte. */
export function checkPicture(picture: Picture, entries: readonly Entry[]): string[] {
  if (picture.checkpoint >= entries.length)
    return [`the store is at ${picture.checkpoint}, beyond the archive`];
  return compare('stored', picture.states, foldAll(entries, picture.checkpoint), picture.checkpoint);
}

export function compare(
  what: string,
  found: ReadonlyMap<string, Expected>,
  expected: ReadonlyMap<string, Expected>,
  checkpoint: number,
): string[] {
  const broken: string[] = [];
  for (const key of new Set([...found.keys(), ...expected.keys()])) {
    const is = textOf(found.get(key));
    const shouldBe = textOf(expected.get(key));
    if (is !== shouldBe) broken.push(`${what} ${key} at ${checkpoint} is ${is}, the fold is ${shouldBe}`);
  }
  return broken;
}

function textOf(state: Expected | undefined): string {
  return state
    ? `${canonicalJson(state.state)}${state.isHalted ? ' (halted)' : ''}`.slice(0, 300)
    : 'missing';
}

/** E7: whatever came in has exactly one end. */
export function miscounts(counts: Readonly<EdgeCounts>): string[] {
  const { received, stored, duplicate, bad, declined, refused } = counts;
  const ends = stored + duplicate + bad + declined + refused;
  return received === ends
    ? []
    : [`${received} events came in, ${ends} had an end: ${JSON.stringify(counts)}`];
}
