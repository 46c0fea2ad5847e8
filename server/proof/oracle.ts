import type { ReadArchive, ReadEntry } from './archive-reader.ts';
import type { Ledger, SocketLedger } from './ledger.ts';

/** Broken promises, a sentence each. `lost`: E1 · `doubled`: E2 · `disordered`: E3 · `invented`: nobody sent it · `miscounted`: E7. */
export type Findings = {
  /** Events that clients were told of. */
  readonly acknowledged: number;
  readonly lost: string[];
  readonly doubled: string[];
  readonly disordered: string[];
  readonly invented: string[];
  readonly miscounted: string[];
};

type Ended = { readonly end: 'stored' | 'bad' | 'declined'; readonly hash: string; readonly n?: unknown };
type Ends = Map<string, Map<number, Ended>>;

/** Between the reading of two clocks lies a message's way. */
const CLOCK_MS = 2_000;

/**
 * Compares what clients know with what the archive holds (delivery.md §16: E1, E2, E3, E7). The archive may hold more than
 * was acknowledged, never less, and nothing twice.
 */
export function checkArchive(
  archive: ReadArchive,
  ledgers: readonly Ledger[],
  sockets: readonly SocketLedger[],
): Findings {
  const findings: Findings = {
    acknowledged: 0,
    lost: [],
    doubled: [],
    disordered: [],
    invented: [],
    miscounted: [],
  };
  const ends: Ends = new Map();
  for (const entry of archive.entries) take(entry, ends, findings);
  findings.disordered.push(...wrongTimes(archive.entries));
  let acknowledged = 0;
  for (const ledger of ledgers) acknowledged += checkLedger(ledger, ends, findings);
  acknowledged += checkSockets(archive, sockets, findings);
  return { ...findings, acknowledged };
}

/** Time of receipt never goes back, and nothing was captured after it was received, whatever the clocks say (R14). */
function wrongTimes(entries: readonly ReadEntry[]): string[] {
  const wrong: string[] = [];
  let last = 0;
  for (const { o, t, off, ev } of entries) {
    if (t < last) wrong.push(`the time goes back from ${last} to ${t} at ${o}`);
    last = t;
    if (off === undefined) continue;
    const early = ev?.find(({ sentAt = 0 }) => sentAt + off > t + CLOCK_MS);
    if (early)
      wrong.push(`at ${o} something was captured ${Number(early.sentAt) + off - t} ms after its receipt`);
  }
  return wrong;
}

/** Notes the end that an entry gives to each of its seqs. */
function take(entry: ReadEntry, ends: Ends, findings: Findings): void {
  const { p, e, f } = entry;
  const hasSeqs = p !== undefined && f !== undefined;
  // A conflict keeps what was sent under a seq that has its end already.
  if (!hasSeqs || (entry.k !== 'batch' && entry.k !== 'bad') || entry.bad?.code === 'id-conflict') return;
  const name = `${p}:${e}`;
  const seqs = ends.get(name) ?? new Map<number, Ended>();
  ends.set(name, seqs);
  const hashes = Buffer.from(entry.h ?? '', 'base64').toString('latin1');
  const count = entry.ev?.length ?? entry.n ?? 1;
  let last = lastOf(seqs);
  for (let i = 0; i < count; i += 1) {
    const seq = f + i;
    if (seqs.has(seq)) findings.doubled.push(`${name}:${seq} is there twice, again at ${entry.o}`);
    else if (seq < last) findings.disordered.push(`${name}:${seq} comes after ${last}, at ${entry.o}`);
    const end = entry.k === 'bad' ? 'bad' : entry.declined ? 'declined' : 'stored';
    seqs.delete(seq);
    seqs.set(seq, { end, hash: hashes.slice(i * 16, i * 16 + 16), n: entry.ev?.[i]?.body.n });
    last = Math.max(last, seq);
  }
  seqs.set(0, { end: 'declined', hash: '', n: last });
}

/** The highest seq so far stands under 0, which no client uses. */
function lastOf(seqs: Map<number, Ended>): number {
  return Number(seqs.get(0)?.n ?? 0);
}

function checkLedger(ledger: Ledger, ends: Ends, findings: Findings): number {
  const { producer, epoch, rows, acknowledged, highest, sendings } = ledger;
  const name = `${producer}:${epoch}`;
  const seqs = ends.get(name) ?? new Map<number, Ended>();
  const last = lastOf(seqs);
  for (let seq = 1; seq <= Math.max(last, acknowledged); seq += 1) {
    const ended = seqs.get(seq);
    const row = rows[seq - 1];
    if (!row || seq > highest) findings.invented.push(`${name}:${seq} was never sent`);
    else if (!ended && seq <= acknowledged) findings.lost.push(`${name}:${seq} was acknowledged`);
    else if (!ended) findings.disordered.push(`${name}:${seq} is missing below ${last}`);
    else if (ended.end !== (row.kind === 'good' ? 'stored' : row.kind))
      findings.lost.push(`${name}:${seq} is ${row.kind} and is kept as ${ended.end}`);
    else if (ended.end !== 'declined' && ended.hash !== row.hash)
      findings.lost.push(`${name}:${seq} is kept with the hash of something else`);
    else if (ended.n !== undefined && ended.n !== seq)
      findings.lost.push(`${name}:${seq} is kept with the content of ${ended.n}`);
  }
  findings.invented.push(...ledger.complaints);
  const { sent, stored, bad, declined, refused, unanswered } = sendings;
  const answered = stored + bad + declined + refused + unanswered;
  // What is in flight while a ledger is read has no end yet, so it may only be less.
  if (answered > sent || acknowledged > rows.length)
    findings.miscounted.push(`${name}: ${sent} sent, ${answered} ended, ${acknowledged} acknowledged`);
  return acknowledged;
}

/** Clients without ids: by tag. What they were not told of may be there or not, but once. */
function checkSockets(archive: ReadArchive, sockets: readonly SocketLedger[], findings: Findings): number {
  const places = new Map<string, string>();
  const found = (tag: unknown, where: string) => {
    if (typeof tag !== 'string') return;
    if (places.has(tag)) findings.doubled.push(`${tag} is there twice`);
    places.set(tag, where);
  };
  for (const { k, ev, bad } of archive.entries) {
    if (k === 'batch') for (const { body } of ev ?? []) found(body.tag, 'stored');
    if (k === 'bad' && bad?.original.includes('"tag"'))
      found(/"tag":"([^"]+)"/.exec(bad.original)?.[1], 'bad');
  }
  const sent = new Set<string>();
  let acknowledged = 0;
  for (const socket of sockets) {
    for (const [frame, { tag, kind, told }] of socket.frames) {
      sent.add(tag);
      const place = places.get(tag);
      if (kind === 'declined' && place) findings.invented.push(`${tag} was declined and is kept`);
      if (frame > socket.acknowledged || told === 'refused') continue;
      acknowledged += 1;
      const expected = kind === 'good' ? 'stored' : kind === 'bad' ? 'bad' : undefined;
      if (place !== expected)
        findings.lost.push(`${tag}, frame ${frame}, was acknowledged and is ${place ?? 'nowhere'}`);
    }
  }
  for (const tag of places.keys()) if (!sent.has(tag)) findings.invented.push(`${tag} was never sent`);
  return acknowledged;
}
