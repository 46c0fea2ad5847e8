import { expect, test } from 'vitest';
import { append, batch } from './archive.contract.ts';
import type { Draft, Entry } from './entry.ts';
import {
  decodeProducers,
  encodeProducers,
  foldProducer,
  hashesOf,
  type ProducersTable,
} from './producers-table.ts';
import { createSimulatedDisk } from './simulated-file-system.ts';
import { openOn } from './simulated-life.ts';

const STREAM = 'ab'.repeat(16);
const hash = (seq: number) => String(seq).padStart(16, '0');

function fold(...drafts: Draft[]): ProducersTable {
  const table: ProducersTable = new Map();
  for (const [o, draft] of drafts.entries())
    foldProducer(table, { ...draft, o } as Entry, draft.ev?.length ?? 0, STREAM);
  return table;
}

function bytesOf(table: ProducersTable, keepFrom: number): Buffer {
  return Buffer.concat([...encodeProducers(table, keepFrom)]);
}

function rows(table: ProducersTable) {
  return [...table.values()].map((row) => ({
    producer: row.producer,
    epoch: row.epoch,
    last: row.last,
    hashes: (Buffer.concat(hashesOf(row)).toString('latin1').match(/.{16}/gs) ?? []).map((text) =>
      text.replace(/^0+(?=.)/, ''),
    ),
  }));
}

test('keeps the last seq and the hashes of a producer, epoch by epoch', () => {
  const table = fold(batch('ada', 1, 2), batch('ada', 3), { ...batch('ada', 1), e: 2 });
  expect(rows(table)).toEqual([
    { producer: 'p-ada', epoch: 1, last: 3, hashes: ['1', '2', '3'] },
    { producer: 'p-ada', epoch: 2, last: 1, hashes: ['1'] },
  ]);
});

test('keeps the newest 256 hashes, in order, however many came', () => {
  const table = fold(...Array.from({ length: 50 }, (_, i) => batch('ada', i * 17 + 1, 17)));
  const [row] = rows(table);
  expect(row?.last).toBe(850);
  expect(row?.hashes).toEqual(Array.from({ length: 256 }, (_, i) => String(850 - 255 + i)));
  const [large] = rows(fold(batch('ada', 1, 2000)));
  expect(large?.hashes).toEqual(Array.from({ length: 256 }, (_, i) => String(2000 - 255 + i)));
});

test('begins the ring anew behind a gap, since hashes must end at the last seq without holes', () => {
  expect(rows(fold(batch('ada', 1, 3), batch('ada', 10, 2)))[0]).toMatchObject({
    last: 11,
    hashes: ['10', '11'],
  });
});

test('a bad row at a seq that is taken changes nothing but the time', () => {
  const table = fold(batch('ada', 1, 3), {
    k: 'bad',
    t: 9000,
    p: 'p-ada',
    e: 1,
    f: 2,
    n: 1,
    h: batch('x', 77).h,
  });
  expect(rows(table)[0]).toMatchObject({ last: 3, hashes: ['1', '2', '3'] });
  expect([...table.values()][0]?.lastAt).toBe(9000);
});

test('declined seqs are used up, with a hash that equals none', () => {
  const declined: Draft = {
    k: 'batch',
    t: 1,
    s: 'ada',
    p: 'p-ada',
    e: 1,
    f: 2,
    n: 2,
    declined: 'outside-window',
  };
  const [row] = [...fold(batch('ada', 1), declined, batch('ada', 4)).values()];
  expect(row?.last).toBe(4);
  const ring = row && Buffer.concat(hashesOf(row)).toString('latin1');
  expect(ring).toBe(hash(1) + '\0'.repeat(32) + hash(4));
});

test('keeps no row for producers that live for one connection', () => {
  const passing = { ...batch('ada', 1), p: '~abc', h: undefined };
  expect(rows(fold(passing, { k: 'mark', t: 1 }))).toEqual([]);
});

test('survives its bytes, and drops rows that were silent for too long', () => {
  const table = fold(batch('ada', 1, 3, 5000), { ...batch('bob', 1, 1, 100), e: 2 ** 40 });
  expect(rows(decodeProducers(bytesOf(table, 0)))).toEqual(rows(table));
  expect(rows(decodeProducers(bytesOf(table, 101))).map((row) => row.producer)).toEqual(['p-ada']);
});

test('a start gives what the archive held of producers, whatever was sealed or open before', async () => {
  const disk = createSimulatedDisk();
  const { archive } = await openOn(disk, { producerDays: 1e6 });
  await append(archive, batch('ada', 1, 3));
  await archive.seal();
  await append(archive, batch('ada', 4), { ...batch('bob', 7), k: 'bad', n: 1, ev: undefined });
  const killed = disk.crash(() => 0.5);
  const { archive: again } = await openOn(killed, { producerDays: 1e6 });
  const given = [...again.producers()].map((row) => ({
    ...row,
    hashes: Buffer.from(row.hashes).toString('latin1'),
  }));
  expect(given).toEqual([
    {
      producer: 'p-ada',
      epoch: 1,
      student: 'ada',
      last: 4,
      lastAt: 1_800_000_000_000,
      hashes: [1, 2, 3, 4].map(hash).join(''),
    },
    { producer: 'p-bob', epoch: 1, student: 'bob', last: 7, lastAt: 1_800_000_000_000, hashes: hash(7) },
  ]);
  await again.close();
  await archive.close();
});

test('goes on from its bytes as from memory, and leaves them as they were', () => {
  for (const before of [0, 1, 9, 255, 256, 700]) {
    const early = before === 0 ? [] : [batch('ada', 1, before)];
    const later = Array.from({ length: 90 }, (_, i) => batch('ada', before + 1 + i * 7, 7));
    const bytes = bytesOf(fold(...early), 0);
    const as = Buffer.from(bytes);
    const table = decodeProducers(bytes);
    for (const draft of later) foldProducer(table, { ...draft, o: 0 } as Entry, 7, STREAM);
    expect(rows(table)).toEqual(rows(fold(...early, ...later)));
    expect(bytes.equals(as)).toBe(true);
  }
});
