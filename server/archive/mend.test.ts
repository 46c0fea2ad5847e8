import { expect, test } from 'vitest';
import { all, append, batch } from './archive.contract.ts';
import { createLedger } from './ledger.ts';
import { createSimulatedDisk, type SimulatedDisk } from './simulated-file-system.ts';
import { appendRound, copyOf, fileOf, openOn, randomFrom } from './simulated-life.ts';

const corrupt = expect.objectContaining({ name: 'ArchiveCorruptError', exitCode: 5 });

/** Opens, and gives all entries, the start's own mark included, with the names of files that were made anew. */
async function mended(disk: SimulatedDisk) {
  const files: string[] = [];
  const { archive } = await openOn(disk, {}, undefined, (file) => files.push(file));
  const entries = await all(archive.read(0));
  const producers = [...archive.producers()];
  await archive.close();
  return { files, entries, producers };
}

/** Three sealed segments, and an open one behind them. */
async function killedOften() {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  const ledger = createLedger();
  for (const round of [0, 1, 2]) {
    await appendRound(life, ledger, 'a', round);
    await append(life.archive, batch(`late-${round}`, 1));
    await life.archive.seal();
  }
  await append(life.archive, batch('ada', 1));
  return copyOf(disk);
}

function flip(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** Where index, producers table and footer of a sealed segment begin. */
function placesIn(sealed: Buffer) {
  const footer = sealed.length - 60;
  return { index: Number(sealed.readBigUInt64LE(footer)), table: sealed.readUInt32LE(footer + 12), footer };
}

test('header, index, table and footer of any sealed segment are made anew byte for byte, one or all at once', async () => {
  const disk = await killedOften();
  const whole = await mended(copyOf(disk));
  expect(whole.files).toEqual([]);
  const sealed = [...disk.files()].filter(([path]) => path.endsWith('.seg'));
  expect(sealed.length).toBe(3);
  const random = randomFrom(181);
  const within = (from: number, to: number) => 8 * from + Math.floor(random() * 8 * (to - from));
  const partsOf = (bytes: Buffer): (readonly [number, number])[] => {
    const { index, table, footer } = placesIn(bytes);
    return [
      [0, 128],
      [index, table],
      [table, footer],
      [footer, footer + 20],
      [footer + 56, footer + 60],
    ];
  };
  for (let round = 0; round < 30; round += 1) {
    const damaged = copyOf(disk);
    const hit = sealed.filter((_, i) => round % 4 === 3 || i === round % 4);
    for (const [path, bytes] of hit) {
      const parts = partsOf(bytes);
      const chosen = parts[Math.floor(random() * parts.length)] ?? [0, 128];
      // A table is looked at where a start needs it: the newest one, or on the way to it.
      const isNeeded = chosen !== parts[2] || path === sealed.at(-1)?.[0];
      const [from, to] = isNeeded ? chosen : [0, 128];
      damaged.replace(path, flip(bytes, within(from, to)));
    }
    const left = await mended(damaged);
    expect(left.entries, `round ${round}`).toEqual(whole.entries);
    expect(left.producers, `round ${round}`).toEqual(whole.producers);
    expect(left.files, `round ${round}`).toEqual(hit.map(([path]) => path.slice(path.lastIndexOf('/') + 1)));
    for (const [path, bytes] of hit) expect(damaged.files().get(path), path).toEqual(bytes);
  }
});

test('a footer whose places are zeros is damaged, though of nothing the checksum is zero', async () => {
  const disk = await killedOften();
  const whole = await mended(copyOf(disk));
  for (const [path, bytes] of [...disk.files()].filter(([name]) => name.endsWith('.seg'))) {
    const zeroed = Buffer.from(bytes).fill(0, bytes.length - 60, bytes.length - 36);
    const damaged = copyOf(disk);
    damaged.replace(path, zeroed);
    const found = await mended(damaged);
    expect(found.files).toEqual([path.slice(path.lastIndexOf('/') + 1)]);
    expect(found.entries).toEqual(whole.entries);
  }
});

test('tables of all segments are made anew from the first one on', async () => {
  const disk = await killedOften();
  const whole = await mended(copyOf(disk));
  const sealed = [...disk.files()].filter(([path]) => path.endsWith('.seg'));
  for (const [path, bytes] of sealed) disk.replace(path, flip(bytes, 8 * placesIn(bytes).table + 70));
  const left = await mended(disk);
  expect(left.producers).toEqual(whole.producers);
  expect(left.files.length).toBe(3);
  for (const [path, bytes] of sealed) expect(disk.files().get(path), path).toEqual(bytes);
});

test('a damaged block is never read as the truth, nor hidden by what is made anew around it', async () => {
  const disk = await killedOften();
  const whole = await mended(copyOf(disk));
  const sealed = [...disk.files()].filter(([path]) => path.endsWith('.seg'));
  const random = randomFrom(18);
  for (let round = 0; round < 90; round += 1) {
    const damaged = copyOf(disk);
    const [path, bytes] = sealed[round % 3] ?? ['', Buffer.alloc(0)];
    const { index } = placesIn(bytes);
    const bit = 8 * 128 + Math.floor(random() * 8 * (index - 128));
    const twice = round % 2 === 0 ? flip(bytes, 8 * index + 3) : bytes;
    damaged.replace(path, flip(twice, bit));
    const left = await mended(damaged).catch((error: unknown) => error);
    if (left instanceof Error) expect(left, `bit ${bit} of ${path}`).toEqual(corrupt);
    else {
      // The tag of a block is zero and means nothing before blocks are encrypted.
      expect((left as { entries: unknown[] }).entries, `bit ${bit} of ${path}`).toEqual(whole.entries);
      expect(round % 2, `bit ${bit} of ${path}`).toBe(1);
    }
    const kept = damaged.files().get(path)?.subarray(0, index);
    expect(kept, `bit ${bit} of ${path}`).toEqual(flip(bytes, bit).subarray(0, index));
  }
});

test('a flipped bit in a commit stops the start or changes nothing, and takes no segment away', async () => {
  const disk = await killedOften();
  const whole = await mended(copyOf(disk));
  const segments = [...disk.files()].filter(([path]) => path.endsWith('.seg'));
  const commits = [...disk.files()].filter(([path]) => path.endsWith('.json') && path.includes('commits'));
  const random = randomFrom(182);
  let stopped = 0;
  for (let round = 0; round < 150; round += 1) {
    const damaged = copyOf(disk);
    const [path, bytes] = commits[round % commits.length] ?? ['', Buffer.alloc(0)];
    const bit = Math.floor(random() * bytes.length * 8);
    damaged.replace(path, flip(bytes, bit));
    const left = await mended(damaged).catch((error: unknown) => error);
    if (left instanceof Error) {
      expect(left, `bit ${bit} of ${path}`).toEqual(corrupt);
      stopped += 1;
    } else expect((left as { entries: unknown[] }).entries, `bit ${bit} of ${path}`).toEqual(whole.entries);
    for (const [segment, content] of segments)
      expect(damaged.files().get(segment), `bit ${bit}`).toEqual(content);
  }
  expect(stopped).toBeGreaterThan(20);
});

test('stream ids are made anew from the segments wherever their file is damaged or lost', async () => {
  const often = await killedOften();
  const whole = await streamsIn(copyOf(often));
  const [path, bytes] = fileOf(often, 'streams.log');
  const random = randomFrom(183);
  for (let round = 0; round < 60; round += 1) {
    const damaged = copyOf(often);
    const bit = Math.floor(random() * bytes.length * 8);
    damaged.replace(path, flip(bytes, bit));
    expect(await streamsIn(damaged), `bit ${bit}`).toEqual(whole);
  }
  const lost = copyOf(often);
  await lost.fileSystem.unlink(path);
  expect(await streamsIn(lost)).toEqual(whole);
  // What was made anew is durable: the next start finds nothing to mend.
  expect((await mended(lost)).files).toEqual([]);
});

/** Which entries a start gives of each student, by the streams of their ids. */
async function streamsIn(disk: SimulatedDisk) {
  const { archive } = await openOn(disk);
  const students = ['s0', 's1', 's2', 'late-0', 'late-1', 'late-2', 'ada'];
  const found = await Promise.all(students.map((student) => all(archive.readStudent(student))));
  const producers = [...archive.producers()];
  await archive.close();
  return { found, producers };
}
