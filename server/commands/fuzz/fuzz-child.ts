import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FuzzServerSettings, FuzzStatus, FuzzTold } from './server.ts';

export type FuzzChild = {
  readonly port: number;
  status(): Promise<FuzzStatus>;
  /** Ends as SIGTERM does it; gives the exit code. */
  stop(): Promise<number | null>;
  isAlive(): boolean;
  /** The last of what it wrote to stderr. */
  said(): string;
};

const KEPT_CHARACTERS = 4_000;

/** `heapMb`: what its heap may hold before it dies of it. */
export async function startFuzzServer(settings: FuzzServerSettings, heapMb?: number): Promise<FuzzChild> {
  const limit = heapMb ? [`--max-old-space-size=${heapMb}`] : [];
  const args = ['--expose-gc', ...limit, join(import.meta.dirname, 'server.ts'), JSON.stringify(settings)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  const ready = next(child, 'ready', () => said);
  const { port } = (await ready) as Extract<FuzzTold, { is: 'ready' }>;
  return {
    port,
    async status() {
      const told = next(child, 'status', () => said);
      child.send('status');
      return ((await told) as Extract<FuzzTold, { is: 'status' }>).status;
    },
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      return child.exitCode;
    },
    isAlive: () => child.exitCode === null && child.signalCode === null,
    said: () => said,
  };
}

function next(child: ChildProcess, is: FuzzTold['is'], said: () => string): Promise<FuzzTold> {
  return new Promise((resolve, reject) => {
    const hear = (told: FuzzTold) => {
      if (told.is !== is) return;
      child.off('message', hear).off('exit', ended);
      resolve(told);
    };
    const ended = (code: number | null) => reject(new Error(`the server ended with ${code}: ${said()}`));
    child.on('message', hear).once('exit', ended);
  });
}
