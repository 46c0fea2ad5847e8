import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { run } from './run.mjs';
import { build } from './steps.mjs';

const REPORTS = 'var/test-reports';

/** Every check in order, none skipped because one before it failed; the closing line counts tests, and failed steps as failures. */
export async function testEverything() {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const steps = [];
  const step = async (name, work) => {
    const started = Date.now();
    console.log(`\n=== ${name}`);
    let code = 1;
    try {
      code = (await work()) ?? 0;
    } catch (error) {
      console.error(error.message);
    }
    steps.push({ name, code, seconds: Math.round((Date.now() - started) / 1000) });
  };
  const vitest = (report, ...args) =>
    run('vitest', [
      'run',
      ...args,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${REPORTS}/${report}.json`,
    ]);
  await step('types', () => run('next', ['typegen']) || run('tsc', ['--noEmit']));
  await step('lint', () => run('biome', ['check', '.']));
  await step('imports', () => run('node', ['server/commands/imports.mjs']));
  await step('unit', () => vitest('unit'));
  await step('servers', () => vitest('servers', '--config', 'vitest.servers.config.ts'));
  await step('build', () => build());
  await step('browser', () =>
    run('playwright', ['test', '--reporter=list,json'], {
      NODE_ENV: 'production',
      CI: '1',
      PLAYWRIGHT_JSON_OUTPUT_FILE: `${REPORTS}/browser.json`,
    }),
  );
  return close(steps);
}

function close(steps) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  add(total, vitestCounts('unit'));
  add(total, vitestCounts('servers'));
  add(total, playwrightCounts());
  console.log('\n=== summary');
  for (const { name, code, seconds } of steps)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  const broken = steps.filter(({ code }) => code !== 0).length;
  const failed = Math.max(total.failed, broken);
  console.log(`\n${total.passed} passed, ${failed} failed, ${total.skipped} skipped`);
  return failed === 0 && total.passed > 0 ? 0 : 1;
}

function add(total, counts) {
  for (const name of Object.keys(total)) total[name] += counts[name];
}

const none = { passed: 0, failed: 0, skipped: 0 };
const readReport = (name) =>
  existsSync(`${REPORTS}/${name}.json`)
    ? JSON.parse(readFileSync(`${REPORTS}/${name}.json`, 'utf8'))
    : undefined;

function vitestCounts(name) {
  const report = readReport(name);
  if (!report) return none;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}

function playwrightCounts() {
  const stats = readReport('browser')?.stats;
  return stats
    ? { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped }
    : none;
}
