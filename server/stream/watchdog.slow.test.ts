import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

type Ended = { readonly signal: string | null; readonly out: string };

function run(folder: string): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile('node', ['server/stream/watchdog-looping.ts', folder], (_error, out) =>
      done({ signal: child.signalCode, out }),
    );
  });
}

it('ends a process whose reducer loops; the third time that key starts halted, and nothing else does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchdog-'));
  for (const times of [1, 2, 3]) {
    expect(await run(folder)).toEqual({ signal: 'SIGKILL', out: '' });
    expect(JSON.parse(await readFile(join(folder, 'halts.json'), 'utf8'))).toEqual({
      'looping.v1 0:1:0': times,
    });
  }
  const { signal, out } = await run(folder);
  expect(signal).toBeNull();
  expect(JSON.parse(out)).toMatchObject({
    counted: { state: { n: 4 }, halt: null },
    looped: { state: { n: 2 }, halt: { code: 'threw', position: '0:1:0' } },
  });
  await rm(folder, { recursive: true });
});
