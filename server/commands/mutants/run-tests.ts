import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { configOf } from './mutant.ts';

/** One test as it ended; `messages` say why it failed. */
export type TestEnd = {
  readonly test: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  readonly messages: readonly string[];
};
/** `broken`: files that could not be loaded, or whose hooks failed. `isOver`: false when the run did not end by itself. */
export type TestRun = {
  readonly ends: readonly TestEnd[];
  readonly broken: readonly string[];
  readonly isOver: boolean;
};

export type TestsOf = {
  readonly folder: string;
  /** Of one config. */
  readonly files: readonly string[];
  readonly names?: string | undefined;
  /** End with the first that fails. */
  readonly bails: boolean;
  readonly workers: number;
  /** Of one test; absent: as its config says. */
  readonly mostTestMs?: number;
  /** Of all. */
  readonly mostMs: number;
};

/** Random tests need fewer cases to see a sabotage than to prove that there is none. */
const ENV = { CI: '1', NO_COLOR: '1', CASES: '200' };

/** Runs test files of a tree by vitest in a process of its own; never rejects because a test fails. */
export async function runTests(tests: TestsOf): Promise<TestRun> {
  const report = join(tests.folder, 'report.json');
  await rm(report, { force: true });
  const isOver = await runVitest(tests, report);
  const text = await readFile(report, 'utf8').catch(() => '{"testResults":[]}');
  return { ...readReport(text, tests.folder), isOver };
}

async function runVitest(tests: TestsOf, report: string): Promise<boolean> {
  const { folder, files, names, bails, workers, mostTestMs, mostMs } = tests;
  const config = configOf(files[0] ?? '') === 'servers' ? ['--config', 'vitest.servers.config.ts'] : [];
  const child = spawn(
    process.execPath,
    [
      join(folder, 'node_modules', 'vitest', 'vitest.mjs'),
      ...['run', ...files, ...config, '--reporter=json', `--outputFile=${report}`],
      ...(names === undefined ? [] : ['-t', names]),
      ...(bails ? ['--bail=1'] : []),
      `--maxWorkers=${workers}`,
      ...(mostTestMs === undefined ? [] : [`--testTimeout=${mostTestMs}`]),
    ],
    // A group of its own, so that what a hanging test has started goes with it.
    { cwd: folder, stdio: 'ignore', detached: true, env: { ...process.env, ...ENV } },
  );
  let isOver = true;
  const kill = () => void (child.pid && process.kill(-child.pid, 'SIGKILL'));
  const timer = setTimeout(() => {
    isOver = false;
    kill();
  }, mostMs);
  process.once('exit', kill);
  await once(child, 'exit');
  process.off('exit', kill);
  clearTimeout(timer);
  return isOver;
}

type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly duration?: number | null;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
};

/** A file that failed without a failed test was never run: it could not be loaded, or its `beforeAll` threw. */
export function readReport(text: string, folder: string): Pick<TestRun, 'ends' | 'broken'> {
  const ends: TestEnd[] = [];
  const broken: string[] = [];
  for (const { name, status, assertionResults } of (JSON.parse(text) as Report).testResults) {
    const file = relative(folder, name);
    for (const one of assertionResults)
      ends.push({
        test: `${file} › ${one.fullName}`,
        status: one.status === 'passed' || one.status === 'failed' ? one.status : 'skipped',
        ms: one.duration ?? 0,
        messages: one.failureMessages ?? [],
      });
    if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed')) broken.push(file);
  }
  return { ends, broken };
}
