import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { house, modulesFolder } from './new-module.testing.ts';
import { newModule } from './new-module.ts';

let folder: string;

beforeAll(async () => {
  const root = await modulesFolder();
  folder = join(root, '..');
  await newModule('typed-notes', root);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(script: string, ...args: string[]) {
  return spawnSync(process.execPath, [join(house, 'node_modules', script), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
}

test('a new module passes the types', async () => {
  await writeFile(join(folder, 'modules', 'typed-notes', 'wrong.ts'), 'export const wrong: number = "no";\n');
  const named = run('typescript/bin/tsc', '--noEmit', '-p', folder).stdout.match(/typed-notes\/[\w./-]+/g);
  // The one file that is wrong proves that the others were looked at.
  expect(named).toEqual(['typed-notes/wrong.ts']);
});

test('a new module passes the test that came with it', () => {
  const tested = run('vitest/vitest.mjs', 'run', 'modules/typed-notes', '--root', folder);
  expect(tested.stdout).toContain('2 passed');
  expect(tested.status).toBe(0);
});
