import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDirectory } from './lock.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const refusal = expect.objectContaining({ code: 'conflict' });

/** A process that takes the lock and keeps it until it is killed. */
async function holder(path: string) {
  const script = `const { lockDirectory } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)});
    await lockDirectory(${JSON.stringify(path)}); process.stdout.write('held'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

test('makes the directory for the owner alone', async () => {
  const release = await lockDirectory(join(root, 'var', 'archive'));
  expect((await stat(join(root, 'var', 'archive'))).mode & 0o777).toBe(0o700);
  await release();
});

test('is refused a second time, under another spelling of the path too, until it is released', async () => {
  const release = await lockDirectory(root);
  await expect(lockDirectory(`${root}/../${root.split('/').at(-1)}`)).rejects.toEqual(refusal);
  await symlink(root, `${root}-link`);
  await expect(lockDirectory(`${root}-link`)).rejects.toEqual(refusal);
  await rm(`${root}-link`);
  await release();
  await (await lockDirectory(root))();
});

test('two directories do not hinder each other', async () => {
  const first = await lockDirectory(join(root, 'a'));
  const second = await lockDirectory(join(root, 'b'));
  await Promise.all([first(), second()]);
});

test('is held against another process and free once that one is killed', async () => {
  const kill = await holder(root);
  await expect(lockDirectory(root)).rejects.toEqual(refusal);
  await kill();
  await (await lockDirectory(root))();
});

test('of eight that ask at once exactly one gets it', async () => {
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(root)));
  const held = answers.filter((answer) => answer.status === 'fulfilled');
  expect(held).toHaveLength(1);
  await held[0]?.value();
});
