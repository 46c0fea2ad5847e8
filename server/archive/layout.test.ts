import { createHash } from 'node:crypto';
import { crc32, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { append, batch } from './archive.contract.ts';
import type { Draft } from './entry.ts';
import { createSimulatedDisk, type SimulatedDisk } from './simulated-file-system.ts';
import { openOn } from './simulated-life.ts';

// A reader of its own, written from the table of bytes in the design and from nothing in this folder.

type Row = { o: number; s?: string; k: string; f?: number };

const u64 = (bytes: Buffer, at: number) => Number(bytes.readBigUInt64LE(at));

function entriesIn(bytes: Buffer): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    rows.push(JSON.parse(bytes.subarray(at + 4, at + 4 + length).toString()));
    at += 4 + length;
  }
  return rows;
}

function headerOf(bytes: Buffer) {
  expect(crc32(bytes.subarray(0, 124))).toBe(bytes.readUInt32LE(124));
  return {
    magic: bytes.toString('latin1', 0, 4),
    format: bytes.readUInt16LE(4),
    partition: bytes.readUInt16LE(6),
    archive: bytes.toString('hex', 8, 24),
    first: u64(bytes, 24),
    fence: u64(bytes, 32),
    createdAt: u64(bytes, 40),
  };
}

function readOpen(bytes: Buffer): Row[] {
  const { first, fence } = headerOf(bytes);
  const rows: Row[] = [];
  for (let at = 128; at < bytes.length; ) {
    const group = bytes.subarray(at, at + bytes.readUInt32LE(at));
    expect(crc32(group.subarray(8))).toBe(group.readUInt32LE(4));
    expect([group[8], group[9]]).toEqual([0, 0]);
    expect(u64(group, 12)).toBe(first + rows.length);
    expect(u64(group, 20)).toBe(fence);
    const inside = entriesIn(group.subarray(88, group.length - 16));
    expect(inside.length).toBe(group.readUInt16LE(10));
    rows.push(...inside);
    at += group.length;
  }
  return rows;
}

function readSealed(bytes: Buffer) {
  const header = headerOf(bytes);
  const footer = bytes.subarray(bytes.length - 60);
  const [indexAt, tableAt] = [u64(footer, 0), u64(footer, 12)];
  const index = bytes.subarray(indexAt, tableAt);
  const table = bytes.subarray(tableAt, bytes.length - 60);
  expect(footer.toString('latin1', 56)).toBe('LOS1');
  expect([crc32(index), crc32(table)]).toEqual([footer.readUInt32LE(8), footer.readUInt32LE(20)]);
  const before = bytes.subarray(0, bytes.length - 36);
  expect(createHash('sha256').update(before).digest()).toEqual(footer.subarray(24, 56));
  const blocks = [];
  for (let at = 0; at < index.length; at += 100) {
    const row = index.subarray(at, at + 100);
    const block = bytes.subarray(u64(row, 16), u64(row, 16) + row.readUInt32LE(24));
    expect(block.subarray(0, 16)).toEqual(row.subarray(0, 16));
    expect(block.subarray(62, 86)).toEqual(row.subarray(28, 52));
    expect([block.readUInt32LE(16), block[20], block[21]]).toEqual([0, 0, 1]);
    expect(block.length).toBe(102 + block.readUInt32LE(98) + 16);
    const entries = entriesIn(zstdDecompressSync(block.subarray(102, block.length - 16)));
    expect(entries.length).toBe(row.readUInt32LE(44));
    expect([entries[0]?.o, entries.at(-1)?.o]).toEqual([u64(row, 28), u64(row, 36)]);
    blocks.push({ stream: row.toString('hex', 0, 16), entries });
  }
  expect(blocks.map(({ stream }) => stream)).toEqual(
    blocks.map(({ stream }) => stream).sort((a, b) => (a < b ? -1 : 1)),
  );
  const counts = { last: u64(bytes, 96), entries: bytes.readUInt32LE(104), events: bytes.readUInt32LE(108) };
  return { header, counts, blocks, table };
}

function file(disk: SimulatedDisk, name: RegExp): [string, Buffer] {
  const found = [...disk.files()].find(([path]) => name.test(path));
  if (!found) throw new Error(`no file is called ${name}`);
  return found;
}

const bad: Draft = {
  k: 'bad',
  t: 1,
  s: 'ada',
  p: 'p-ada',
  e: 1,
  f: 3,
  n: 1,
  bad: { code: 'schema', original: '{}' },
};

test('open segments have the bytes of the design', async () => {
  const disk = createSimulatedDisk();
  const { archive } = await openOn(disk);
  await append(archive, batch('ada', 1, 2), bad);
  await append(archive, batch('bob', 1));
  const [path, bytes] = file(disk, /\.open$/);
  expect(path).toBe('/archive/p000/000000000000-000000000000.open');
  expect(headerOf(bytes)).toEqual({
    magic: 'LOA1',
    format: 1,
    partition: 0,
    archive: archive.id,
    first: 0,
    fence: 0,
    createdAt: 1_800_000_000_000,
  });
  expect(readOpen(bytes).map(({ o, k, s }) => [o, k, s])).toEqual([
    [0, 'mark', undefined],
    [1, 'batch', 'ada'],
    [2, 'bad', 'ada'],
    [3, 'batch', 'bob'],
  ]);
  await archive.close();
});

test('sealed segments have the bytes of the design, a block for each stream, and a commit', async () => {
  const disk = createSimulatedDisk();
  const { archive } = await openOn(disk);
  await append(archive, batch('ada', 1, 2), bad, batch('bob', 1), batch('ada', 4));
  await archive.close();
  const [path, bytes] = file(disk, /\.seg$/);
  expect(path).toBe('/archive/p000/000000000000-000000000004-000000000000.seg');
  const sealed = readSealed(bytes);
  expect(sealed.header).toMatchObject({ magic: 'LOS1', archive: archive.id, first: 0, fence: 0 });
  expect(sealed.counts).toEqual({ last: 4, entries: 5, events: 4 });
  const held = sealed.blocks
    .map(({ entries }) => entries.map(({ o }) => o))
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  expect(held).toEqual([[0], [1, 4], [2], [3]]);
  expect(sealed.table.readUInt32LE(0)).toBe(2);
  const commit: unknown = JSON.parse(String(file(disk, /00000001\.json$/)[1]));
  expect(commit).toEqual({
    format: 1,
    archive: archive.id,
    partition: 0,
    number: 1,
    parent: null,
    segment: {
      file: '000000000000-000000000004-000000000000.seg',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    },
    from: 0,
    to: 4,
    entries: 5,
    events: 4,
    streams: 4,
    heads: null,
    tombstones: [],
    fence: 0,
    at: 1_800_000_000_000,
    software: 'test',
  });
});

test('segments name no student: the stream ids do, and they stay the same from segment to segment', async () => {
  const disk = createSimulatedDisk();
  for (const from of [1, 2]) {
    const { archive } = await openOn(disk);
    await append(archive, batch('ada', from));
    await archive.close();
  }
  const streams = [...disk.files()]
    .filter(([path]) => path.endsWith('.seg'))
    .map(([, bytes]) => readSealed(bytes).blocks.find(({ entries }) => entries[0]?.s === 'ada')?.stream);
  expect(streams.length).toBe(2);
  expect(streams[0]).toBe(streams[1]);
  const [, lines] = file(disk, /keys\/streams\.log$/);
  expect(String(lines)).toContain(`"student:ada":"${streams[0]}"`);
});

test('the fence is the offset of the start mark, and each start has a higher one', async () => {
  const disk = createSimulatedDisk();
  const first = (await openOn(disk)).archive;
  await append(first, batch('ada', 1));
  await first.close();
  const second = (await openOn(disk)).archive;
  expect([first.fence, second.fence, second.end()]).toEqual([0, 2, 3]);
  expect(file(disk, /\.open$/)[0]).toBe('/archive/p000/000000000002-000000000002.open');
  await second.close();
});
