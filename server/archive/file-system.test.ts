import { expect, test } from 'vitest';
import { writeParts } from './file-system.ts';
import { createSimulatedDisk } from './simulated-file-system.ts';

function* partsOf(sizes: readonly number[]): Generator<Uint8Array, string> {
  for (const [i, size] of sizes.entries()) yield Buffer.alloc(size, i + 1);
  return 'made';
}

test.each([[[]], [[0, 1]], [[262_144]], [[262_143, 2]], [[1, 300_000, 0, 600_001, 7]]])(
  'a content in parts of %j bytes is written whole and in order, and survives a power cut',
  async (sizes) => {
    const disk = createSimulatedDisk();
    await disk.fileSystem.makeDirectory('/a');
    expect(await writeParts(disk.fileSystem, '/a/one', partsOf(sizes))).toBe('made');
    await disk.fileSystem.syncDirectory('/a');
    const after = new Map(disk.crash(() => 0).files());
    const whole = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i + 1)));
    expect(after.get('/a/one')?.equals(whole)).toBe(true);
  },
);
