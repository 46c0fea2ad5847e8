import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { loadModules } from '#server/modules.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { openOwner } from '#server/stream/owner.ts';
import { store as append, memoryLog } from '#server/stream/testing.ts';

let varDir: string;
beforeAll(async () => {
  varDir = await mkdtemp(join(tmpdir(), 'rebuild-'));
  const { archive, owner, close } = await open();
  for (const [i, student] of ['ada', 'bob', 'ada', 'bob'].entries()) {
    const body = { doc_id: 'd', bundles: [{ commands: [{ ty: 'is', ibi: 1, s: 'Once ' }] }] };
    const ev = [{ event: 'google_docs_save', body }];
    const source = 'org.mitros.writing_analytics';
    await append(archive, [
      { k: 'batch', t: i, s: student, p: student, e: 1, f: i + 1, src: source, off: 0, ev },
    ]);
  }
  await owner.caughtUp();
  await close();
});
afterAll(() => rm(varDir, { recursive: true }));

async function open() {
  const archive = await openFileArchive({
    directory: join(varDir, 'archive'),
    software: 'test',
    clock: () => 1_000,
    onFatal: () => {},
    limits: { minFreeBytes: 0 },
  });
  const log = memoryLog();
  const states = await openFileStore({ folder: join(varDir, 'states'), log });
  const owner = openOwner({ archive, store: states, registry: await loadModules(), log });
  const close = async () => {
    await owner.close();
    await states.close();
    await archive.close();
  };
  return { archive, owner, states, close };
}

/** Puts another value in the place of a stored state; gives its key. */
async function tamper(): Promise<string> {
  const { archive, owner, states, close } = await open();
  await owner.caughtUp();
  await owner.flush();
  const { checkpoint, fields } = await states.load('bob');
  const [key = '', value = ''] =
    [...fields].find(([field]) => field.startsWith('doc-text.') && !field.includes('#')) ?? [];
  const set = [[key, value.replace('"s":{', '"s":{"forged":1,')] as const];
  const { fence } = archive;
  await states.flush({ fence, base: checkpoint, checkpoint, writes: [{ student: 'bob', set, del: [] }] });
  await close();
  return key;
}

function rebuild(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, VAR_DIR: varDir, NODE_ENV: 'test', LOG_LEVEL: 'fatal' };
  return new Promise((done) => {
    const child = execFile('node', ['server/commands/rebuild.ts', ...args], { env }, (_error, out) =>
      done({ code: child.exitCode ?? -1, out }),
    );
  });
}

it('finds what differs from the archive, and folds it again', async () => {
  const equal = await rebuild('--shadow');
  expect(equal).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^[1-9]\d* states compared, 0 differ\n$/),
  });
  const key = await tamper();
  expect(key).toContain('student=bob');
  const wrong = await rebuild('--shadow');
  expect(wrong.code).toBe(1);
  expect(wrong.out.split('\n')[0]).toBe(key);
  expect((await rebuild('--shadow', '--student', 'ada')).code).toBe(0);
  expect(await rebuild('--halted')).toEqual({ code: 0, out: 'folded 0 of 2 students again\n' });
  expect((await rebuild('--shadow')).code).toBe(1);
  expect(await rebuild('--student', 'bob', '--reducer', 'doc-text')).toMatchObject({ code: 0 });
  expect((await rebuild('--shadow')).code).toBe(0);
});

it('refuses what it does not know', async () => {
  expect((await rebuild('--all')).code).toBe(64);
  expect((await rebuild('--reducer', 'none')).code).toBe(64);
});
