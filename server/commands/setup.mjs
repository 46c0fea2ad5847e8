// `npm start`, `npm test` and their relatives on a machine where nobody has installed anything. Plain JavaScript,
// because it runs on the system's Node (20 or newer) before the project's own Node 24 is there.

import { run, runNode } from './setup/run.mjs';
import { SERVER_ENVIRONMENT, SERVER_FLAGS } from './setup/server-process.mjs';
import { browser, build, dependencies, generated, servers } from './setup/steps.mjs';
import { testAtLength, testEverything } from './setup/test-everything.mjs';

const [verb = 'start', ...rest] = process.argv.slice(2);
process.chdir(new URL('../..', import.meta.url).pathname);
process.env.NEXT_TELEMETRY_DISABLED = '1';

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Node ${process.versions.node} is too old: install Node 20 or newer.`);
  process.exit(1);
}

/** Where Node keeps what it compiled, by the content of each file. An installation of packages empties it. */
const COMPILE_CACHE = 'node_modules/.cache/node';

const verbs = {
  async start() {
    await dependencies();
    await generated();
    await build();
    process.exitCode = runNode([...SERVER_FLAGS, 'server/main.ts', '--demo', ...rest], {
      ...SERVER_ENVIRONMENT,
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
    });
  },
  async dev() {
    await dependencies();
    await generated();
    process.exitCode = runNode(
      [
        '--watch-path=server',
        '--watch-path=modules',
        '--watch-preserve-output',
        'server/main.ts',
        '--demo',
        '--dev',
        ...rest,
      ],
      { NODE_ENV: 'development' },
    );
  },
  async build() {
    await dependencies();
    await generated();
    await build();
  },
  async e2e() {
    await dependencies();
    await generated();
    await build();
    await browser();
    process.exitCode = run('playwright', ['test', ...rest], {
      NODE_ENV: 'production',
      CHROMIUM: process.env.CHROMIUM ?? '',
    });
  },
  async long() {
    await dependencies();
    await generated();
    await build();
    await servers();
    process.exitCode = await testAtLength();
  },
  async test() {
    await dependencies();
    await generated();
    await servers();
    await browser();
    process.exitCode = await testEverything();
  },
};

const chosen = verbs[verb];
if (!chosen) {
  console.error(`unknown command: ${verb}. Known: ${Object.keys(verbs).join(', ')}.`);
  process.exit(64);
}
await chosen();
