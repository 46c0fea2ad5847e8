import { expect, test } from 'vitest';
import type { ReadArchive, ReadEntry } from './archive-reader.ts';
import { acknowledge, type Kind, type Ledger, newLedger, noteEnd, type SocketLedger } from './ledger.ts';
import { checkArchive, type Findings } from './oracle.ts';

const hashOf = (seq: number) => String(seq).padEnd(16, '.');

/** A client that sent events of these kinds, and was told of the first so many. */
function ledgerOf(kinds: readonly Kind[], acknowledged: number): Ledger {
  const ledger = newLedger('P', 'ada');
  ledger.rows.push(...kinds.map((kind, i) => ({ kind, hash: hashOf(i + 1), end: 'unknown' as const })));
  ledger.highest = kinds.length;
  ledger.sendings.sent = kinds.length;
  acknowledge(ledger, acknowledged);
  return ledger;
}

function stored(seqs: readonly number[], more: Partial<ReadEntry> = {}): Omit<ReadEntry, 'o'> {
  const ev = seqs.map((n) => ({ event: 'mark', body: { doc: 'd', n } }));
  const h = btoa(seqs.map(hashOf).join(''));
  return { k: 'batch', t: 1, s: 'ada', p: 'P', e: 1, f: seqs[0], src: 'proof', ev, h, ...more };
}

function archiveOf(...entries: readonly Omit<ReadEntry, 'o'>[]): ReadArchive {
  return { id: '', entries: entries.map((entry, o) => ({ ...entry, o })), fence: 0, sealedSegments: 0 };
}

function broken(archive: ReadArchive, ledgers: readonly Ledger[], sockets: readonly SocketLedger[] = []) {
  const found: Findings = checkArchive(archive, ledgers, sockets);
  const names = ['lost', 'doubled', 'disordered', 'invented', 'miscounted'] as const;
  return names.filter((name) => found[name].length > 0);
}

const good: readonly Kind[] = ['good', 'good', 'good'];

test('finds nothing where everything acknowledged is there once, in order', () => {
  const bad = { k: 'bad', t: 1, s: 'ada', p: 'P', e: 1, f: 2, n: 1, h: btoa(hashOf(2)) };
  const declined = { k: 'batch', t: 1, s: 'ada', p: 'P', e: 1, f: 3, n: 1, declined: 'source-not-allowed' };
  const ledger = ledgerOf(['good', 'bad', 'declined', 'good'], 4);
  expect(broken(archiveOf(stored([1]), bad, declined, stored([4])), [ledger])).toEqual([]);
});

test('lets the archive hold more than was acknowledged', () => {
  expect(broken(archiveOf(stored([1, 2, 3])), [ledgerOf(good, 1)])).toEqual([]);
});

test('finds an acknowledged event that is not there', () => {
  expect(broken(archiveOf(stored([1, 2])), [ledgerOf(good, 3)])).toEqual(['lost']);
});

test('finds an acknowledged event that is kept as something else', () => {
  expect(broken(archiveOf(stored([1, 2, 3])), [ledgerOf(['good', 'bad', 'good'], 3)])).toEqual(['lost']);
  const other = stored([1, 2, 3], { h: btoa([1, 3, 2].map(hashOf).join('')) });
  expect(broken(archiveOf(other), [ledgerOf(good, 3)])).toEqual(['lost']);
  const swapped = { ...stored([1, 2, 3]), ev: stored([1, 3, 2]).ev };
  expect(broken(archiveOf(swapped), [ledgerOf(good, 3)])).toEqual(['lost']);
});

test('finds an event that is there twice, in one entry or two, whatever became of it', () => {
  expect(broken(archiveOf(stored([1, 2]), stored([2, 3])), [ledgerOf(good, 3)])).toEqual(['doubled']);
  const bad = { k: 'bad', t: 1, s: 'ada', p: 'P', e: 1, f: 2, n: 1, h: btoa(hashOf(2)) };
  expect(broken(archiveOf(stored([1, 2]), bad), [ledgerOf(['good', 'bad'], 2)])).toEqual(['doubled']);
});

test('does not take a conflict for a second copy', () => {
  const conflict = {
    k: 'bad',
    t: 1,
    s: 'ada',
    p: 'P',
    e: 1,
    f: 1,
    bad: { code: 'id-conflict', original: '' },
  };
  expect(broken(archiveOf(stored([1, 2, 3]), conflict), [ledgerOf(good, 3)])).toEqual([]);
});

test('finds events out of order and holes before them', () => {
  expect(broken(archiveOf(stored([2]), stored([1]), stored([3])), [ledgerOf(good, 3)])).toEqual([
    'disordered',
  ]);
  expect(broken(archiveOf(stored([1]), stored([3])), [ledgerOf(good, 1)])).toEqual(['disordered']);
});

test('finds what nobody sent, and answers about it', () => {
  expect(broken(archiveOf(stored([1, 2, 3, 4])), [ledgerOf(good, 3)])).toEqual(['invented']);
  expect(broken(archiveOf(stored([1, 2, 3, 4])), [ledgerOf(good, 4)])).toContain('invented');
  const ledger = ledgerOf(good, 3);
  noteEnd(ledger, 1, 'bad');
  expect(broken(archiveOf(stored([1, 2, 3])), [ledger])).toEqual(['invented']);
});

test('finds more answers than sendings', () => {
  const ledger = ledgerOf(good, 3);
  ledger.sendings.stored = 4;
  expect(broken(archiveOf(stored([1, 2, 3])), [ledger])).toEqual(['miscounted']);
});

test('knows events of clients without ids by their tags', () => {
  const tagged = (tag: string) => stored([1], { p: '~x', ev: [{ event: 'mark', body: { tag } }] });
  const frames = new Map([[2, { tag: 'a', kind: 'good' as const, told: 'unknown' as const }]]);
  const socket = { student: 'ada', frames, acknowledged: 2 };
  expect(broken(archiveOf(tagged('a')), [], [socket])).toEqual([]);
  expect(broken(archiveOf(), [], [socket])).toEqual(['lost']);
  expect(broken(archiveOf(), [], [{ ...socket, acknowledged: 1 }])).toEqual([]);
  const again = { ...tagged('a'), f: 2 };
  expect(broken(archiveOf(tagged('a'), again), [], [socket])).toEqual(['doubled']);
  expect(broken(archiveOf(tagged('a'), { ...tagged('b'), f: 2 }), [], [socket])).toEqual(['invented']);
});
