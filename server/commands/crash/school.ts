import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { demoIngestKey } from '#server/auth/ingest-key.ts';
import { googleDocsTool } from '#server/proof/captured.ts';
import { type Load, openLoad } from '#server/proof/load.ts';
import { DEMO_PEOPLE, DEMO_SCHOOL_ID } from '../../../prisma/demo-people.ts';
import { foldedAgain } from './folded-again.ts';
import {
  after,
  archiveIn,
  eventually,
  inNewFolder,
  judge,
  momentOf,
  type Round,
  type Scenario,
} from './round.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'main.ts');
const STUDENTS = 24;
const KILLS_OF_A_LIFE = 3;
const START_MS = 30_000;

/** The whole server as `npm start` runs it, with the demo school. */
type School = { readonly child: ChildProcess; readonly readyMs: number };

/**
 * R1 with the product itself: SIGKILL of `main.ts` while a class writes in Google documents, within the limits that a school has.
 * The oracle compares the archive with what clients were told; states of the real modules are compared with the server's own fold.
 */
export async function runSchool(scenario: Scenario): Promise<void> {
  for (let done = 0; done < scenario.rounds; done += KILLS_OF_A_LIFE) {
    const rounds = Math.min(KILLS_OF_A_LIFE, scenario.rounds - done);
    await inNewFolder((varDir) => writeAndDie(scenario, varDir, rounds));
  }
}

async function writeAndDie({ random, onRound }: Scenario, varDir: string, rounds: number): Promise<void> {
  const port = await freePort();
  let school = await open(varDir, port);
  const load = openLoad({
    url: `http://localhost:${port}`,
    key: await demoIngestKey(varDir),
    seed: random.below(2 ** 31),
    observers: 0,
    subjects: DEMO_PEOPLE.filter((person) => person.as === 'student')
      .slice(0, STUDENTS)
      .map(({ id }) => ({ person: id, school: DEMO_SCHOOL_ID, installation: `proof-${id}` })),
    tool: googleDocsTool,
  });
  try {
    for (let round = 0; round < rounds; round += 1) {
      await eventually(() => load.inFlight() > 0, 5_000);
      await after(random.between(100, 2_000));
      const moment = momentOf(load);
      await end(school, 'SIGKILL');
      // A start with pages and a database takes what it takes here: it is a figure, and no promise is broken by it.
      const { readyMs } = school;
      onRound({ ...(await ask('killed school', varDir, load, { moment })), readyMs });
      school = await open(varDir, port);
    }
    await load.drain(60_000);
    load.close();
    await end(school, 'SIGTERM');
    const code = school.child.exitCode;
    const others = code === 0 ? [] : [`SIGTERM ended it with ${code}`];
    onRound(await ask('rest', varDir, load, { others }));
  } finally {
    load.close();
    await end(school, 'SIGKILL');
  }
}

async function ask(
  what: string,
  varDir: string,
  load: Load,
  more: Partial<Parameters<typeof judge>[0]>,
): Promise<Round> {
  const compare = async () => ({ wrong: await foldedAgain(varDir) });
  return judge({ what, files: archiveIn(varDir), load, compare, ...more });
}

async function open(varDir: string, port: number): Promise<School> {
  const startedAt = performance.now();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_ENV: 'production',
    PORT: String(port),
    VAR_DIR: varDir,
    DEMO_PUPILS: '0',
    MIN_FREE_BYTES: '0',
    LOG_LEVEL: 'error',
  };
  const child = spawn(process.execPath, [MAIN, '--demo'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`the server ended at its start with ${child.exitCode}`);
    const answer = await fetch(`http://localhost:${port}/api/health/ready`).catch(() => undefined);
    return answer?.ok === true;
  };
  if (!(await eventually(isReady, START_MS))) throw new Error('the server was not ready in 30 s');
  return { child, readyMs: performance.now() - startedAt };
}

async function end({ child }: School, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address ? address.port : 0;
}
