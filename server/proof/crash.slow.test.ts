import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canMountLoops } from '#server/commands/crash/loop-disk.ts';
import type { SabotageName } from './sabotage.ts';

type Said = { readonly code: number; readonly text: string; figure(name: string): number };

/** Each takes a tenth of that; a machine may be busy with other things. */
const LONGEST_MS = 300_000;
const COMMAND = join(import.meta.dirname, '..', 'commands', 'crash.ts');

function crash(...args: string[]): Promise<Said> {
  return new Promise((done) => {
    execFile(process.execPath, [COMMAND, ...args], { timeout: LONGEST_MS }, (error, stdout, stderr) => {
      const text = stdout + stderr;
      const figure = (name: string) => Number(new RegExp(`figure crash\\.${name} ([\\d.]+)`).exec(text)?.[1]);
      done({ code: error ? Number(error.code ?? -1) : 0, text, figure });
    });
  });
}

test('nothing that was acknowledged is lost, doubled or counted wrong, however the server ends', {
  timeout: LONGEST_MS,
}, async () => {
  const said = await crash(
    ...['--kills', '2', '--cuts', '2', '--clones', '10', '--faults', '14', '--full', '2'],
  );
  expect(said.code, said.text).toBe(0);
  expect(said.figure('acknowledged')).toBeGreaterThan(10_000);
  expect(said.figure('kills-in-flight')).toBeGreaterThanOrEqual(0.9);
  expect(['lost', 'doubled', 'state-mismatches'].map(said.figure)).toEqual([0, 0, 0]);
  expect(said.text).toMatch(/\d+ passed, 0 failed/);
});

type Planted = {
  readonly sabotage: SabotageName;
  readonly crashes: readonly string[];
  readonly figure: string;
};

const PLANTED: readonly Planted[] = [
  { sabotage: 'answers-early', crashes: ['--kills', '1'], figure: 'lost' },
  { sabotage: 'never-syncs', crashes: ['--clones', '30'], figure: 'lost' },
  { sabotage: 'forgets-producers', crashes: ['--kills', '2'], figure: 'doubled' },
  { sabotage: 'folds-checkpoint-again', crashes: ['--kills', '2'], figure: 'state-mismatches' },
  { sabotage: 'forgets-a-student', crashes: ['--kills', '1'], figure: 'state-mismatches' },
  { sabotage: 'ignores-fences', crashes: ['--owners', '2'], figure: 'state-mismatches' },
];

describe('a server with a planted fault', () => {
  test.each(PLANTED)('that $sabotage is found out', async ({ sabotage, crashes, figure }) => {
    const said = await crash(...crashes, '--sabotage', sabotage);
    expect(said.code, said.text).toBe(1);
    expect(said.figure(figure), said.text).toBeGreaterThan(0);
  });

  test.runIf(canMountLoops())('that never syncs is found out by a real power cut', async () => {
    const said = await crash('--cuts', '1', '--sabotage', 'never-syncs');
    expect(said.code, said.text).toBe(1);
    expect(said.figure('lost'), said.text).toBeGreaterThan(0);
  });
});
