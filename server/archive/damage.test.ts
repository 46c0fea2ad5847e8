import { expect, test } from 'vitest';
import { all, append, batch } from './archive.contract.ts';
import { complaints, createLedger } from './ledger.ts';
import { createSimulatedDisk } from './simulated-file-system.ts';
import { appendRound, copyOf, fileOf, openOn, whatIsLeft } from './simulated-life.ts';

const corrupt = expect.objectContaining({ name: 'ArchiveCorruptError', exitCode: 5 });

/** A disk as a killed process leaves it: one sealed segment, and an open one with three groups of two entries. */
async function killed() {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  const ledger = createLedger();
  await appendRound(life, ledger, 'a', 0);
  await life.archive.seal();
  for (const from of [1, 3, 5]) await append(life.archive, batch('ada', from), batch('bob', from));
  return { disk: copyOf(disk), ledger };
}

/** Where the groups of an open segment begin, by their lengths. */
function groupStarts(open: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 128; at < open.length; at += open.readUInt32LE(at)) starts.push(at);
  return starts;
}

test('a torn last group is cut off wherever it was torn, and all before it stays', async () => {
  const { disk } = await killed();
  const whole = await whatIsLeft(copyOf(disk));
  const [path, open] = fileOf(disk, '.open');
  const last = groupStarts(open).at(-1) ?? 0;
  const lengths = [0, 1, 4, 8, 87, 88, 104]
    .map((more) => last + more)
    .concat(open.length - 17, open.length - 1);
  for (const length of lengths) {
    const torn = copyOf(disk);
    torn.replace(path, open.subarray(0, length));
    const left = await whatIsLeft(torn);
    expect(left.slice(0, 11)).toEqual(whole.slice(0, 11));
    expect(left.map((entry) => entry.k).slice(11)).toEqual(['mark']);
  }
});

test('a tail of zeros, as a file system leaves behind a lost write, is cut off', async () => {
  const { disk, ledger } = await killed();
  const [path, open] = fileOf(disk, '.open');
  disk.replace(path, Buffer.concat([open, Buffer.alloc(70_000)]));
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('damage before the last group stops the start and changes nothing', async () => {
  const { disk } = await killed();
  const [path, open] = fileOf(disk, '.open');
  const last = groupStarts(open).at(-1) ?? 0;
  for (let at = 0; at < last; at += 7) {
    const flipped = Buffer.from(open);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    const damaged = copyOf(disk);
    damaged.replace(path, flipped);
    await expect(openOn(damaged), `byte ${at}`).rejects.toEqual(corrupt);
    expect(damaged.files().get(path)).toEqual(flipped);
  }
});

test('a torn tail of more than one group stops the start', async () => {
  const { disk } = await killed();
  const [path, open] = fileOf(disk, '.open');
  disk.replace(path, Buffer.concat([open, Buffer.alloc(34 * 1024 * 1024, 1)]));
  await expect(openOn(disk)).rejects.toEqual(corrupt);
});

test('a torn tail in a segment that is not the last stops the start', async () => {
  const { disk } = await killed();
  const [path, open] = fileOf(disk, '.open');
  const next = Buffer.from(open.subarray(0, 128));
  disk.replace(path, open.subarray(0, open.length - 1));
  const later = '/archive/p000/0000000000ff-000000000000.open';
  const file = await disk.fileSystem.open(later, 'create');
  await file.write(next, 0);
  await expect(openOn(disk)).rejects.toEqual(corrupt);
});

test('an open segment whose making was interrupted is taken away', async () => {
  const { disk, ledger } = await killed();
  const file = await disk.fileSystem.open('/archive/p000/00000000000d-000000000000.open', 'create');
  await file.write(Buffer.alloc(60), 0);
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('a lost, cut or foreign file stops the start', async () => {
  const { disk } = await killed();
  const [sealed, bytes] = fileOf(disk, '.seg');
  const lost = copyOf(disk);
  await lost.fileSystem.unlink(sealed);
  await expect(openOn(lost)).rejects.toEqual(corrupt);
  const cut = copyOf(disk);
  cut.replace(sealed, bytes.subarray(0, 400));
  await expect(openOn(cut)).rejects.toEqual(corrupt);
  expect(cut.files().get(sealed)?.length).toBe(400);
  const nameless = copyOf(disk);
  await nameless.fileSystem.unlink('/archive/archive.json');
  await expect(openOn(nameless)).rejects.toEqual(corrupt);
  const uncommitted = copyOf(disk);
  await uncommitted.fileSystem.unlink('/archive/commits/p000/00000001.json');
  await expect(openOn(uncommitted)).rejects.toEqual(corrupt);
  expect(uncommitted.files().get(sealed)).toEqual(bytes);
  const foreign = copyOf(disk);
  const identity = JSON.parse(String(disk.files().get('/archive/archive.json'))) as object;
  foreign.replace('/archive/archive.json', Buffer.from(JSON.stringify({ ...identity, id: '0'.repeat(32) })));
  await expect(openOn(foreign)).rejects.toEqual(corrupt);
});

test('a torn last line of the stream ids is cut off', async () => {
  const { disk, ledger } = await killed();
  const [path, lines] = fileOf(disk, 'streams.log');
  // The second lost its beginning and kept its end, as a power cut may leave it.
  for (const tail of ['0badc0de {', '\0\0\0\0\0\0\0\0 {"student:x":"00"}\n']) {
    const torn = copyOf(disk);
    torn.replace(path, Buffer.concat([lines, Buffer.from(tail)]));
    expect(complaints(ledger, await whatIsLeft(torn))).toEqual([]);
  }
});

test('keeps a segment that is committed and still open once, and drops a sealed one that no commit names', async () => {
  const { disk, ledger } = await killed();
  const [openPath, open] = fileOf(disk, '.open');
  const before = copyOf(disk);
  const found = await whatIsLeft(before);
  const segments = [...before.files()].filter(([path]) => path.endsWith('.seg'));
  expect(segments.length).toBe(3);
  // The open file of a committed segment is back, as after a cut between commit and deletion.
  const file = await before.fileSystem.open(openPath, 'create');
  await file.write(open, 0);
  const stray = await before.fileSystem.open(
    '/archive/p000/000000000000-000000000002-000000000000.seg',
    'create',
  );
  await stray.write(Buffer.from('half a segment'), 0);
  const again = await whatIsLeft(before);
  expect(again.slice(0, found.length)).toEqual(found);
  expect(complaints(ledger, again)).toEqual([]);
  expect([...before.files().keys()].filter((path) => path.includes('000000000002-'))).toEqual([]);
});

test('a read that meets damage while running throws instead of leaving something out', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  await append(life.archive, batch('ada', 1), batch('bob', 1));
  await life.archive.seal();
  const [path, sealed] = fileOf(disk, '.seg');
  const flipped = Buffer.from(sealed);
  flipped[128 + 110] = (flipped[128 + 110] ?? 0) ^ 1;
  disk.replace(path, flipped);
  await expect(all(life.archive.read(0))).rejects.toEqual(corrupt);
  await life.archive.close();
});
