import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Makes what dies at once, far more than any nursery holds, and says how large its own has become, MB. */
const NURSERY = `
  import { getHeapSpaceStatistics } from 'node:v8';
  export function nurseryMb() {
    let last;
    for (let i = 0; i < 3_000_000; i++) last = [i, last === undefined];
    return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size / 2 ** 20;
  }
`;
const WORKER = `
  import { parentPort } from 'node:worker_threads';
  import { nurseryMb } from './nursery.mjs';
  parentPort.postMessage(nurseryMb());
`;
const MAIN = `
  import { once } from 'node:events';
  import { startSmallThread } from ${JSON.stringify(new URL('./small-thread.ts', import.meta.url).href)};
  import { nurseryMb } from './nursery.mjs';
  const options = { resourceLimits: { maxYoungGenerationSizeMb: 1 } };
  const [small] = await once(startSmallThread(new URL('./worker.mjs', import.meta.url), options), 'message');
  console.log(JSON.stringify({ small, main: nurseryMb() }));
`;
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'small-thread-'));
  for (const [name, text] of Object.entries({ nursery: NURSERY, worker: WORKER, main: MAIN }))
    writeFileSync(join(folder, `${name}.mjs`), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a small thread keeps to its own nursery, and the main thread has the one of the flags', () => {
  const flags = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
  const text = execFileSync(process.execPath, [...flags, join(folder, 'main.mjs')]);
  const found = JSON.parse(text.toString()) as { readonly small: number; readonly main: number };
  expect(found.small).toBeLessThan(4);
  expect(found.main).toBeGreaterThanOrEqual(16);
});
