import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foldedAgain } from '#server/commands/crash/folded-again.ts';
import { eventually, pemOf } from '#server/commands/crash/round.ts';
import { seededRandom } from '#server/simulate/random.ts';
import { filesOnDisk, readArchive } from './archive-reader.ts';
import { type Load, newKey, openLoad } from './load.ts';
import { checkArchive } from './oracle.ts';
import { startProofChild } from './proof-child.ts';
import type { ProcessSettings } from './proof-process.ts';
import { PROOF_MODULES } from './proof-server.ts';
import { compareStateFiles } from './stored-states.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const ENOUGH_EVENTS = 4_000;
const FLIPS = 2;
const EXIT_CORRUPT = 5;
console.log(`flipped bits: seed ${SEED}`);
const random = seededRandom(SEED);

let folder: string;
let settings: ProcessSettings;
let load: Load;

/** A server that served a class and was killed: sealed segments, an open one, commits, ids, states. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flipped-bits-'));
  const key = newKey();
  settings = { varDir: join(folder, 'whole'), port: 0, key: pemOf(key), sealBytes: 256 * 1024 };
  const child = await startProofChild(settings);
  load = openLoad({ url: `http://127.0.0.1:${child.port}`, key, seed: random.below(2 ** 31) });
  await eventually(() => load.acknowledged() > ENOUGH_EVENTS, 30_000);
  await load.drain();
  await child.ask('quiet');
  await child.end('SIGKILL');
  load.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Part = readonly [from: number, to: number];
type Kind = {
  readonly name: string;
  readonly path: RegExp;
  readonly part: (bytes: Buffer) => Part;
  /** What a start makes of it; `either`: stopped where the bit means something, untouched where it means nothing. */
  readonly outcome: 'made anew' | 'folded again' | 'stopped' | 'either';
};

const footerOf = (sealed: Buffer) => sealed.length - 60;
const indexOf = (sealed: Buffer) => Number(sealed.readBigUInt64LE(footerOf(sealed)));
const tableOf = (sealed: Buffer) => Number(sealed.readBigUInt64LE(footerOf(sealed) + 12));
const all = (bytes: Buffer): Part => [0, bytes.length];

/** Where the last whole group of an open segment begins. */
function lastGroup(open: Buffer): number {
  let start = 128;
  for (let at = 128; at < open.length; at += open.readUInt32LE(at)) start = at;
  return start;
}

const KINDS: readonly Kind[] = [
  { name: 'header of a sealed segment', path: /seg$/, part: () => [0, 128], outcome: 'made anew' },
  { name: 'index', path: /seg$/, part: (bytes) => [indexOf(bytes), tableOf(bytes)], outcome: 'made anew' },
  {
    name: 'producers table',
    path: /seg$/,
    part: (bytes) => [tableOf(bytes), footerOf(bytes)],
    outcome: 'made anew',
  },
  {
    name: 'footer',
    path: /seg$/,
    part: (bytes) => [footerOf(bytes), footerOf(bytes) + 20],
    outcome: 'made anew',
  },
  {
    name: 'stream ids',
    path: /streams\.log$/,
    part: (bytes) => [10, bytes.indexOf(10) - 2],
    outcome: 'made anew',
  },
  { name: 'states', path: /\.states$/, part: all, outcome: 'folded again' },
  { name: 'open segment', path: /open$/, part: (bytes) => [0, lastGroup(bytes)], outcome: 'stopped' },
  { name: 'commit', path: /commits\/p000\/\d+\.json$/, part: all, outcome: 'either' },
  { name: 'archive.json', path: /archive\.json$/, part: all, outcome: 'either' },
];

async function filesOf(varDir: string, path: RegExp): Promise<string[]> {
  const names = await readdir(varDir, { recursive: true });
  return names.filter((name) => path.test(name)).sort();
}

/** A copy of the dead server's files with one bit flipped. */
async function damagedCopy({ path, part }: Kind, round: number) {
  const varDir = join(folder, `copy-${round}`);
  await rm(varDir, { recursive: true, force: true });
  await cp(settings.varDir, varDir, { recursive: true });
  const names = await filesOf(varDir, path);
  // The newest of its kind: of producers tables it is the one that a start uses.
  const file = join(varDir, names.at(-1) ?? 'none');
  const whole = await readFile(file);
  const [from, to] = part(whole);
  const [at, bit] = [from + random.below(to - from), random.below(8)];
  const flipped = Buffer.from(whole);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
  await writeFile(file, flipped);
  return { varDir, file, whole, flipped, what: `${basename(file)}, byte ${at}, bit ${bit}` };
}

/** Starts on these files, waits until all is folded, kills. Gives what it said, or why it did not start. */
async function lifeOn(varDir: string): Promise<{ readonly stopped: boolean; readonly said: string }> {
  try {
    const child = await startProofChild({ ...settings, varDir });
    await child.ask('quiet');
    await child.end('SIGKILL');
    return { stopped: false, said: child.said() };
  } catch (error) {
    const said = String(error);
    expect(said).toContain(`ended at its start with ${EXIT_CORRUPT}`);
    return { stopped: true, said };
  }
}

/** Every event that a client was told of is there once, every state is the fold; segments are what their commits say. */
async function expectWhole(varDir: string, what: string): Promise<void> {
  const archive = readArchive(filesOnDisk(join(varDir, 'archive')));
  const { acknowledged, lost, doubled, disordered, invented } = checkArchive(
    archive,
    load.ledgers(),
    load.sockets(),
  );
  expect({ lost, doubled, disordered, invented }, what).toEqual({
    lost: [],
    doubled: [],
    disordered: [],
    invented: [],
  });
  expect(acknowledged).toBeGreaterThan(ENOUGH_EVENTS);
  const { compared, wrong } = await compareStateFiles(varDir, archive);
  expect(wrong, what).toEqual([]);
  expect(compared).toBeGreaterThan(0);
}

test.each(KINDS)('a flipped bit of $name costs no event and no state ($outcome)', async (kind) => {
  for (let round = 0; round < FLIPS; round += 1) {
    const { varDir, file, whole, flipped, what } = await damagedCopy(kind, round);
    const { stopped, said } = await lifeOn(varDir);
    if (kind.outcome !== 'either') expect(stopped, `${what}: ${said}`).toBe(kind.outcome === 'stopped');
    if (kind.outcome === 'made anew') expect(said, what).toContain(`made anew: `);
    if (stopped) expect(await readFile(file), what).toEqual(flipped);
    if (stopped || kind.outcome === 'either') await writeFile(file, whole);
    if (stopped) expect((await lifeOn(varDir)).stopped, what).toBe(false);
    await expectWhole(varDir, what);
  }
});

test('a flipped bit in a sealed block is reported by whoever reads it, and never folded', async () => {
  const kind: Kind = {
    name: 'block',
    path: /seg$/,
    // Behind the header of the first block, before the tag of the last: the tag means nothing yet.
    part: (bytes) => [128 + 102 + 4, 128 + 102 + bytes.readUInt32LE(128 + 98)],
    outcome: 'stopped',
  };
  const whole = readArchive(filesOnDisk(join(settings.varDir, 'archive')));
  for (let round = 0; round < FLIPS; round += 1) {
    const { varDir, what } = await damagedCopy(kind, round);
    await expect(foldedAgain(varDir, PROOF_MODULES), what).rejects.toMatchObject({
      name: 'ArchiveCorruptError',
    });
    // With no states left a start folds all that stands before the damage, and waits there.
    await rm(join(varDir, 'states'), { recursive: true });
    const child = await startProofChild({ ...settings, varDir });
    const before = Number.parseInt(what.slice(0, 12), 16) - 1;
    const isThere = async () => (await child.ask('status')).checkpoint === before;
    expect(await eventually(isThere, 20_000), what).toBe(true);
    await child.end('SIGKILL');
    expect((await compareStateFiles(varDir, whole)).wrong, what).toEqual([]);
  }
});

test('a flipped bit in the very last group, which nothing tells from a torn write, is said and costs that group alone', async () => {
  const kind: Kind = {
    name: 'last group',
    path: /open$/,
    part: (bytes) => [lastGroup(bytes), bytes.length],
    outcome: 'either',
  };
  const { varDir, whole, what } = await damagedCopy(kind, 0);
  const before = readArchive(filesOnDisk(join(settings.varDir, 'archive'))).entries;
  const { stopped, said } = await lifeOn(varDir);
  expect(stopped, what).toBe(false);
  expect(said).toContain(`left out: ${whole.length - lastGroup(whole)} bytes`);
  const archive = readArchive(filesOnDisk(join(varDir, 'archive')));
  const kept = before.length - whole.readUInt16LE(lastGroup(whole) + 10);
  expect(archive.entries.slice(0, kept)).toEqual(before.slice(0, kept));
  expect(archive.entries.slice(kept).map(({ k }) => k)).toEqual(['mark']);
  expect((await compareStateFiles(varDir, archive)).wrong).toEqual([]);
});
