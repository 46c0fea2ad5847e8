import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { all, append, batch } from './archive.contract.ts';
import type { Draft } from './entry.ts';
import { createSimulatedDisk } from './simulated-file-system.ts';
import { openOn } from './simulated-life.ts';

/** Words that do not compress, so that the segment is large enough for a thread of its own. */
function noise(seed: number): string {
  const hash = (part: number) => createHash('sha512').update(`${seed} ${part}`).digest('base64');
  return Array.from({ length: 250 }, (_, part) => hash(part)).join('');
}

async function largeSegment() {
  const disk = createSimulatedDisk();
  const { archive } = await openOn(disk);
  const drafts = Array.from({ length: 120 }, (_, i): Draft => {
    const draft = batch(['ada', 'bob', 'eve'][i % 3] ?? '', i + 1);
    return { ...draft, ev: [{ event: 'typed', body: { text: `é☃ ${noise(i)}` } }] };
  });
  for (const draft of drafts) await append(archive, draft);
  await archive.seal();
  const [path, bytes] = [...disk.files()].findLast(([name]) => name.endsWith('.seg')) ?? [];
  if (!path || !bytes || bytes.length < 1.5 * 1024 * 1024) throw new Error('the segment is too small');
  return { disk, archive, drafts, path, bytes };
}

test('a large segment is unpacked in a thread, and gives its entries in order', async () => {
  const { archive, drafts } = await largeSegment();
  const entries = await all(archive.read(1, 121));
  expect(entries.map(({ o, s, f, ev }) => ({ o, s, f, ev }))).toEqual(
    drafts.map(({ s, f, ev }, i) => ({ o: i + 1, s, f, ev })),
  );
  expect(await all(archive.read(50, 53))).toEqual(entries.slice(49, 52));
});

test('damage that the thread finds says where it is', async () => {
  const { disk, archive, path, bytes } = await largeSegment();
  const flipped = Buffer.from(bytes);
  flipped[500_000] = (flipped[500_000] ?? 0) ^ 4;
  disk.replace(path, flipped);
  const corrupt = { name: 'ArchiveCorruptError', exitCode: 5, place: path.split('/').at(-1) };
  await expect(all(archive.read(0))).rejects.toMatchObject(corrupt);
});
