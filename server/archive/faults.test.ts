import { expect, test } from 'vitest';
import { batch } from './archive.contract.ts';
import { appendTo, complaints, createLedger } from './ledger.ts';
import { createSimulatedDisk, type SimulatedDisk, systemError } from './simulated-file-system.ts';
import { appendRound, liveOn, openOn, randomFrom, whatIsLeft } from './simulated-life.ts';

test('short writes lose nothing', async () => {
  const disk = createSimulatedDisk();
  const random = randomFrom(7);
  disk.setFault((operation) => (operation === 'write' ? 1 + Math.floor(random() * 40) : undefined));
  const ledger = createLedger();
  expect(await liveOn(disk, ledger, 'a')).toBe('ended');
  expect(ledger.stored.size).toBe(30);
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('a write that is short and then finds no room leaves no torn entry, and goes on by itself', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  const ledger = createLedger();
  await appendRound(life, ledger, 'a', 0);
  let writes = 0;
  disk.setFault((operation) => {
    if (operation !== 'write') return undefined;
    writes += 1;
    return writes === 1 ? 100 : systemError('ENOSPC');
  });
  await appendRound(life, ledger, 'b', 0);
  expect(ledger.refused.size).toBe(6);
  expect(life.archive.refusing()).toBe('disk-full');
  const end = life.archive.end();
  expect([...disk.files()].find(([path]) => path.endsWith('.open'))?.[1].length).toBeLessThan(6000);
  disk.setFault(undefined);
  await expect.poll(() => life.archive.refusing(), { interval: 2 }).toBe(null);
  ledger.refused.clear();
  await appendRound(life, ledger, 'b', 0);
  expect(life.archive.end()).toBe(end + 6);
  await life.archive.close();
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('what a full disk took of a group is gone from a segment that is closed and not yet sealed', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  const ledger = createLedger();
  await appendRound(life, ledger, 'a', 0);
  let writes = 0;
  disk.setFault((operation) => {
    if (operation !== 'write') return undefined;
    writes += 1;
    return writes === 1 ? 100 : systemError('ENOSPC');
  });
  await appendRound(life, ledger, 'b', 0);
  disk.setFault((operation, path) =>
    operation === 'open' && path.endsWith('.seg.tmp') ? systemError('ENOSPC') : undefined,
  );
  await expect.poll(() => life.archive.refusing(), { interval: 2 }).toBe(null);
  await expect(life.archive.seal()).rejects.toMatchObject({ code: 'disk-full' });
  await appendRound(life, ledger, 'c', 0);
  expect(complaints(ledger, await whatIsLeft(disk.crash(randomFrom(3))))).toEqual([]);
  await life.archive.close();
});

test('refuses before the disk is full, and accepts again once there is room', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk, { minFreeBytes: 1000 });
  disk.setFree(999);
  await expect.poll(() => life.archive.refusing(), { interval: 2 }).toBe('disk-full');
  const ledger = createLedger();
  await appendRound(life, ledger, 'a', 0);
  expect(ledger.refused.size).toBe(6);
  disk.setFree(1000);
  await expect.poll(() => life.archive.refusing(), { interval: 2 }).toBe(null);
  await life.archive.close();
});

test('after a failed sync it answers nobody, syncs nothing and refuses what comes', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  let syncs = 0;
  disk.setFault((operation) => {
    if (operation !== 'sync') return undefined;
    syncs += 1;
    return syncs === 1 ? systemError('EIO') : undefined;
  });
  const ledger = createLedger();
  void appendTo(life.archive, ledger, [batch('ada', 1)]);
  expect(await life.failed).toMatchObject({ code: 'EIO' });
  void appendTo(life.archive, ledger, [batch('ada', 2)]);
  await life.archive.close();
  expect(syncs).toBe(1);
  expect([...ledger.unanswered]).toEqual(['p-ada:1:1']);
  expect([...ledger.refused]).toEqual(['p-ada:1:2']);
});

test('what a killed process left only in memory of the system survives a power cut after the next start', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  const ledger = createLedger();
  await appendRound(life, ledger, 'a', 0);
  disk.setFault((operation) => (operation === 'sync' ? systemError('EIO') : undefined));
  await appendRound(life, ledger, 'b', 0);
  disk.setFault(undefined);
  const seen = await whatIsLeft(disk);
  expect(seen.length).toBe(14);
  for (let seed = 1; seed <= 20; seed += 1) {
    const after = await whatIsLeft(disk.crash(randomFrom(seed)));
    expect(after.slice(0, seen.length)).toEqual(seen);
  }
});

test('says busy when the queue is full, and takes one append that is larger than the queue', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk, { queueBytes: 1000, groupBytes: 400 });
  const ledger = createLedger();
  const large = { ...batch('ada', 1), src: 'x'.repeat(5000) };
  const answers = [
    appendTo(life.archive, ledger, [large]),
    appendTo(life.archive, ledger, [batch('ada', 2)]),
  ];
  expect(life.archive.pressure()).toBeGreaterThan(1);
  expect([...ledger.refused]).toEqual(['p-ada:1:2']);
  await Promise.all(answers);
  expect(life.archive.pressure()).toBe(0);
  const many = Array.from({ length: 12 }, (_, i) => appendTo(life.archive, ledger, [batch('bob', i + 1)]));
  await Promise.all(many);
  expect(ledger.stored.size + ledger.refused.size).toBe(14);
  expect(ledger.refused.size).toBeGreaterThan(1);
  await life.archive.close();
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('an append is never split between groups: a power cut keeps all of it or nothing', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const disk = createSimulatedDisk();
    const life = await openOn(disk, { groupBytes: 1000 });
    disk.setFault((operation) => (operation === 'sync' ? systemError('EIO') : undefined));
    const ledger = createLedger();
    void appendTo(life.archive, ledger, [batch('ada', 1)]);
    void appendTo(
      life.archive,
      ledger,
      [1, 2, 3, 4, 5].map((seq) => batch('bob', seq)),
    );
    await life.failed;
    disk.setFault(undefined);
    const left = await whatIsLeft(disk.crash(randomFrom(seed)));
    expect([0, 5]).toContain(left.filter((entry) => entry.s === 'bob').length);
  }
});

function firstFile(disk: SimulatedDisk, ending: string): [string, Buffer] {
  const found = [...disk.files()].find(([path]) => path.endsWith(ending));
  if (!found) throw new Error(`no file ends with ${ending}`);
  return found;
}

test('finds the smallest free place again after a full disk while it begins a new segment', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  const ledger = createLedger();
  await appendRound(life, ledger, 'a', 0);
  disk.setFault((operation, path) =>
    operation === 'open' && path.endsWith('.open') ? systemError('ENOSPC') : undefined,
  );
  await expect(life.archive.seal()).rejects.toMatchObject({ code: 'disk-full' });
  disk.setFault(undefined);
  await expect.poll(() => life.archive.refusing(), { interval: 2 }).toBe(null);
  await appendRound(life, ledger, 'a', 1);
  await life.archive.seal();
  expect(firstFile(disk, '.seg')[0]).toBe('/archive/p000/000000000000-00000000000c-000000000000.seg');
  await life.archive.close();
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('times never go back over a kill either, with entries that only the start seals', async () => {
  const disk = createSimulatedDisk();
  const life = await openOn(disk);
  await appendTo(life.archive, createLedger(), [batch('ada', 1, 1, 2 ** 43)]);
  const { archive } = await openOn(disk.crash(randomFrom(1)));
  const late = batch('ada', 2, 1, 5);
  await appendTo(archive, createLedger(), [late]);
  expect(late.t).toBe(2 ** 43);
  await Promise.all([archive.close(), archive.close(), life.archive.close()]);
});

test('a sealing that found no room is made up for, and alarms when three wait', async () => {
  const disk = createSimulatedDisk();
  let unsealed = 0;
  const life = await openOn(disk, {}, (count) => {
    unsealed = count;
  });
  const ledger = createLedger();
  disk.setFault((operation, path) =>
    operation === 'write' && path.includes('.seg') ? systemError('ENOSPC') : undefined,
  );
  for (let round = 0; round < 3; round += 1) {
    await appendRound(life, ledger, 'a', round);
    await expect(life.archive.seal()).rejects.toMatchObject({ code: 'disk-full' });
  }
  await expect.poll(() => unsealed, { interval: 2 }).toBe(3);
  expect([...disk.files().keys()].filter((path) => path.endsWith('.tmp'))).toEqual([]);
  expect(life.archive.refusing()).toBe(null);
  disk.setFault(undefined);
  await expect.poll(() => [...disk.files().keys()].filter((path) => path.endsWith('.seg')).length).toBe(3);
  await life.archive.close();
  expect(complaints(ledger, await whatIsLeft(disk))).toEqual([]);
});

test('a listener that throws is fatal: what it did not hear must not be forgotten', async () => {
  const life = await openOn(createSimulatedDisk());
  life.archive.onDurable(() => {
    throw new Error('broken');
  });
  void appendTo(life.archive, createLedger(), [batch('ada', 1)]);
  expect(await life.failed).toMatchObject({ message: 'broken' });
  await life.archive.close();
});
