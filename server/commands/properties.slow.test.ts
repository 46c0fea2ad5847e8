import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const COMMAND = join(import.meta.dirname, 'properties.ts');

test('every property holds, and at least 95 % of the validator’s branches are reached on the way', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, '--minutes', '0.05']);
  const figure = (name: string) =>
    Number(new RegExp(`figure properties\\.${name} ([\\d.]+)`).exec(stdout)?.[1]);
  expect(figure('validator-branches'), stdout).toBeGreaterThanOrEqual(0.95);
  expect(figure('runs')).toBeGreaterThan(1_000);
  expect(stdout).toMatch(/ passed, 0 failed/);
});
