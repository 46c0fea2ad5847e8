import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export type RedisServer = {
  readonly url: string;
  readonly pid: () => number;
  signal(signal: NodeJS.Signals): void;
  /** Ends the process by SIGKILL, where it lives. */
  kill(): Promise<void>;
  /** Ends the process by SIGKILL and starts another on the same port and folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** A real Redis for tests, on a free port, in a folder of its own. `settings`: as on the command line of redis-server. */
export async function startRedis(settings: readonly string[] = ['--save', '']): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  console.info(execFileSync('redis-server', ['--version']).toString().trim());
  let child: ChildProcess = await start();

  async function start(): Promise<ChildProcess> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...settings];
    const started = spawn('redis-server', args, { stdio: 'ignore' });
    const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => {});
    await client.ping();
    client.disconnect();
    return started;
  }

  async function kill(): Promise<void> {
    if (child.signalCode !== null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  return {
    url,
    pid: () => child.pid ?? 0,
    signal: (signal) => void child.kill(signal),
    kill,
    async restart() {
      await kill();
      child = await start();
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}
