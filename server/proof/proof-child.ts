import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Asked, ProcessSettings, Told } from './proof-process.ts';
import type { ProofStatus } from './proof-server.ts';

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A server of a proof in a process that may be killed. */
export type ProofChild = {
  readonly pid: number;
  readonly port: number;
  /** From the start of the process until it takes sockets, ms. */
  readonly readyMs: number;
  ask(what: Asked['ask']): Promise<ProofStatus>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits for the end of the process. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
  /** The last of what it wrote to stderr. */
  said(): string;
};

const PROCESS = join(import.meta.dirname, 'proof-process.ts');
const KEPT_CHARACTERS = 4_000;

/** Starts a server and waits until it takes sockets. Rejects with what it said where it ends before. */
export async function startProofChild(settings: ProcessSettings): Promise<ProofChild> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  const ended = once(child, 'exit').then(([code, signal]): Ended => ({ code, signal }));
  const waiting = new Map<number, (status: ProofStatus) => void>();
  const ready = new Promise<number>((done) => {
    child.on('message', (told: Told) => {
      if (told.is === 'ready') done(told.port);
      else waiting.get(told.id)?.(told.status);
    });
  });
  const early = ended.then(({ code, signal }): never => {
    throw new Error(`the server ended at its start with ${code ?? signal}: ${said}`);
  });
  early.catch(() => {}); // an end after the start is what proofs are about
  const port = await Promise.race([ready, early]);
  return handleOf({ child, port, readyMs: performance.now() - startedAt, ended, waiting, said: () => said });
}

/** Kills a server so many ms into its start, as likely as not before it takes sockets. */
export async function killAtStart(settings: ProcessSettings, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  await ended;
  clearTimeout(timer);
}

function handleOf(parts: {
  readonly child: ChildProcess;
  readonly port: number;
  readonly readyMs: number;
  readonly ended: Promise<Ended>;
  readonly waiting: Map<number, (status: ProofStatus) => void>;
  readonly said: () => string;
}): ProofChild {
  const { child, port, readyMs, ended, waiting, said } = parts;
  let asked = 0;
  return {
    pid: child.pid ?? 0,
    port,
    readyMs,
    ended,
    said,
    ask(what) {
      asked += 1;
      const id = asked;
      const answer = new Promise<ProofStatus>((done) => waiting.set(id, done));
      child.send({ ask: what, id } satisfies Asked);
      const gone = ended.then((): never => {
        throw new Error(`the server ended before it was ${what}: ${said()}`);
      });
      return Promise.race([answer, gone]);
    },
    signal: (signal) => void child.kill(signal),
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}
