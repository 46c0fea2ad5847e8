import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, test as base, expect } from '@playwright/test';

/** A demo school of its own: a folder, a port, a server process that a test may kill and start again. */
export type School = {
  readonly url: string;
  readonly folder: string;
  start(): Promise<{ readonly readyMs: number }>;
  /** SIGKILL: nothing is flushed, nothing is closed. */
  kill(): Promise<void>;
  stop(): Promise<number | null>;
  output(): string;
};

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

export async function foundSchool(env: Record<string, string> = {}): Promise<School> {
  const folder = await mkdtemp(join(tmpdir(), 'school-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  let child: ChildProcess | undefined;
  let output = '';
  return {
    url,
    folder,
    output: () => output,
    async start() {
      const started = performance.now();
      child = spawn(join('node_modules', '.bin', 'node'), ['server/main.ts', '--demo'], {
        env: {
          ...process.env,
          NODE_ENV: 'production',
          PORT: String(port),
          VAR_DIR: folder,
          DEMO_PUPILS: '0',
          MIN_FREE_BYTES: '0',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout?.on('data', (chunk) => {
        output += chunk;
      });
      child.stderr?.on('data', (chunk) => {
        output += chunk;
      });
      await untilReady(url, child, () => output);
      return { readyMs: performance.now() - started };
    },
    async kill() {
      await end(child, 'SIGKILL');
    },
    async stop() {
      const code = await end(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<number | null> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
  child.kill(signal);
  await once(child, 'exit');
  return child.exitCode;
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`);
    const answer = await fetch(`${url}/api/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server was not ready in 30 s:\n${output()}`);
}

/** Signs a demo person in, the way the sign-in page does, and gives the context its cookie. */
export async function signIn(context: BrowserContext, school: School, email: string): Promise<void> {
  const answer = await context.request.post(`${school.url}/api/dev-sign-in`, {
    data: { email },
    headers: { origin: school.url },
  });
  expect(answer.status(), await answer.text()).toBe(200);
}

/** A test with a school that lives as long as the file's tests. */
export const test = base.extend<object, { school: School }>({
  school: [
    async ({}, use) => {
      const school = await foundSchool();
      await school.start();
      await use(school);
      await school.stop();
    },
    { scope: 'worker' },
  ],
});

export { expect };
