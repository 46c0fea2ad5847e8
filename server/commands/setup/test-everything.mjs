import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { run, runQuietly } from './run.mjs';
import { build } from './steps.mjs';

const REPORTS = 'var/test-reports';
const NODE = resolve('node_modules/.bin/node');

/**
 * Each proof is a command of its own (`npm run <name>`) that ends with `N passed, N failed`; here at the size of a gate. Its runs
 * go side by side: a crash waits for processes more than for a core.
 */
const PROOFS = [
  {
    name: 'crash',
    runs: [
      ['--kills', '20', '--cuts', '20'],
      ['--owners', '20', '--redis', '20', '--outage-seconds', '0.3'],
    ],
  },
  { name: 'fuzz', runs: [['--each', '100']] },
  { name: 'mutants', runs: [['--sample']] },
];

/** The same proofs before a release. */
const LONG_PROOFS = [
  { name: 'crash', runs: [['--kills', '200', '--cuts', '200', '--owners', '50', '--redis', '50']] },
  { name: 'crash', runs: [['--redis', '4', '--outage-seconds', '20']] },
  { name: 'properties', runs: [['--minutes', '30']] },
  { name: 'fuzz', runs: [['--each', '10000']] },
  { name: 'mutants', runs: [['--all']] },
  { name: 'simulation', runs: [['--seeds', '100000']] },
];

/** Every check in order, none skipped because one before it failed; the closing line counts tests, and failed steps as failures. */
export async function testEverything() {
  return inSteps(async (step) => {
    await step('types', () => run('next', ['typegen']) || run('tsc', ['--noEmit']));
    await step('lint', () => run('biome', ['check', '.']));
    await step('imports', () => run('node', ['server/commands/imports.mjs']));
    await step('unit', () => vitest('unit'));
    await step('build', () => build());
    await step('servers', () => vitest('servers', '--config', 'vitest.servers.config.ts'));
    await step('browser', () =>
      run('playwright', ['test', '--reporter=list,json'], {
        NODE_ENV: 'production',
        CI: '1',
        PLAYWRIGHT_JSON_OUTPUT_FILE: `${REPORTS}/browser.json`,
      }),
    );
    for (const { name, runs } of PROOFS) await step(name, () => proof(name, runs));
    const soak = ['soak', '--sockets', '500', '--minutes', '1'];
    await step('soak', () => run('node', ['server/commands/bench.ts', ...soak]));
  });
}

/** What takes too long for a gate: thousands of seeds, hundreds of kills, every sabotage, half an hour of load. */
export async function testAtLength() {
  return inSteps(async (step) => {
    for (const { name, runs } of LONG_PROOFS) await step(name, () => proof(name, runs));
    await step('soak', () => run('node', ['server/commands/bench.ts', 'soak', '--minutes', '30']));
  });
}

async function inSteps(work) {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const steps = [];
  proofs.length = 0;
  await work(async (name, act) => {
    const started = Date.now();
    console.log(`\n=== ${name}`);
    let code = 1;
    try {
      code = (await act()) ?? 0;
    } catch (error) {
      console.error(error.message);
    }
    steps.push({ name, code, seconds: Math.round((Date.now() - started) / 1000) });
  });
  return close(steps);
}

const vitest = (report, ...args) =>
  run('vitest', [
    'run',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${REPORTS}/${report}.json`,
  ]);

const proofs = [];

/** The code of the first of its runs that failed, or 0. */
async function proof(name, runs) {
  const codes = await Promise.all(runs.map((args) => runProof(name, args)));
  return codes.find((code) => code !== 0) ?? 0;
}

/** Shows what a run of a proof printed, and keeps the counts of its last line. */
async function runProof(name, args) {
  const { code, output } = await runQuietly(NODE, [`server/commands/${name}.ts`, ...args]);
  process.stdout.write(output);
  const [, passed, failed] = /(\d+) passed, (\d+) failed(?:, \d+ skipped)?\s*$/.exec(output) ?? [];
  if (passed === undefined) console.error(`${name} printed no closing counts`);
  else proofs.push({ passed: Number(passed), failed: Number(failed), skipped: 0 });
  return code === 0 && passed === undefined ? 1 : code;
}

function close(steps) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of [vitestCounts('unit'), vitestCounts('servers'), playwrightCounts(), ...proofs])
    add(total, counts);
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
