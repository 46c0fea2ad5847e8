import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  expectDrawn,
  expectExplained,
  expectOneFold,
  fixtureOf,
  needsFixture,
} from '#modules/contract.testing.tsx';
import { loadModules } from '#server/modules.ts';
import { modulesFolder } from './new-module.testing.ts';
import { exampleFiles, newModule } from './new-module.ts';

let root: string;

beforeAll(async () => {
  root = await modulesFolder();
});
afterAll(() => rm(join(root, '..'), { recursive: true, force: true }));

describe('a new module', () => {
  test.each(['reading-time', 'lab2-notes'])('%s keeps the contract of every module', async (name) => {
    await newModule(name, root);
    const registry = await loadModules(root);
    const module = registry.modules.find((one) => one.name === name);
    if (!module) throw new Error('the new module was not found');
    expect(needsFixture(module)).toBe(true);
    const events = await fixtureOf(root, name, registry);
    expectOneFold(module, registry, events);
    expect(module.queries).toHaveLength(1);
    for (const query of module.queries ?? []) await expectDrawn(root, module, query, registry, events);
    await expectExplained(root, name);
  });

  test("has every file that the guide shows, and no word of the guide's example left", async () => {
    const written = await newModule('own-words', root);
    expect(written).toHaveLength((await exampleFiles()).size);
    expect(written).toContain('own-words.test.ts');
    for (const file of written)
      expect(await readFile(join(root, 'own-words', file), 'utf8')).not.toMatch(
        /reading-time|readingTime|Reading time/,
      );
  });
});

test.each(['', 'Reading', '../out', 'two words', 'kit', '9lives', '-a'])(
  '%j is refused with a sentence',
  async (name) => {
    await expect(newModule(name, root)).rejects.toThrow(/no module name|take another name/);
  },
);

test('a taken name is refused and its files are left alone', async () => {
  await mkdir(join(root, 'taken'));
  await expect(newModule('taken', root)).rejects.toThrow('modules/taken is there already');
  expect(existsSync(join(root, 'taken', 'module.ts'))).toBe(false);
});

test('the command without a name says how it is called', () => {
  const run = spawnSync(process.execPath, [join(import.meta.dirname, 'new-module.ts')], { encoding: 'utf8' });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('npm run new-module -- reading-time');
});
