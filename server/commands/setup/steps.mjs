import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { runWithProgress } from './run.mjs';
import { unlessStamped } from './stamp.mjs';

export const dependencies = () =>
  unlessStamped('node_modules/.installed', ['package-lock.json'], () =>
    runWithProgress('Installing the packages', 'npm', ['ci', '--no-audit', '--no-fund']),
  );

export const generated = () =>
  unlessStamped('server/generated/.stamp', ['prisma/schema.prisma', 'package-lock.json'], () =>
    runWithProgress('Generating the database client', 'node_modules/.bin/prisma', ['generate']),
  );

export const build = () =>
  unlessStamped(
    '.next/.built',
    [
      'app',
      'modules',
      'server',
      'public',
      'next.config.ts',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
    ],
    () => {
      rmSync('.next/dev', { recursive: true, force: true }); // types of removed routes there break the next build
      return runWithProgress('Building the pages', 'node_modules/.bin/next', ['build'], {
        NODE_ENV: 'production',
      });
    },
  );

const hasCommand = (name) => spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
const findPostgres = () =>
  spawnSync('sh', ['-c', 'ls /usr/lib/postgresql/*/bin/initdb || command -v initdb'], { stdio: 'ignore' })
    .status === 0;

async function debian(packages) {
  if (process.getuid?.() !== 0 || !hasCommand('apt-get'))
    throw new Error(
      `please install ${packages.join(', ')}: the tests need them and only root on Debian can do it by itself.`,
    );
  await runWithProgress(`Installing ${packages.join(', ')}`, 'sh', [
    '-c',
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages.join(' ')}`,
  ]);
}

/** A Redis and a PostgreSQL for the tests that claim them, which start and stop their own; tools that look at processes from outside. */
export async function servers() {
  const missing = [];
  if (!hasCommand('redis-server')) missing.push('redis-server');
  if (!findPostgres()) missing.push('postgresql');
  if (!hasCommand('strace')) missing.push('strace');
  if (!hasCommand('unshare')) missing.push('util-linux');
  if (!hasCommand('ip')) missing.push('iproute2');
  if (missing.length > 0) await debian(missing);
}

/** A Chromium: the one named, one that is there, Playwright's own, or Debian's. */
export async function browser() {
  const there = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ].find((path) => path && existsSync(path));
  if (there) {
    process.env.CHROMIUM = there;
    return;
  }
  try {
    await runWithProgress('Fetching a Chromium', 'node_modules/.bin/playwright', ['install', 'chromium']);
  } catch {
    await debian(['chromium']);
    process.env.CHROMIUM = '/usr/bin/chromium';
  }
}
