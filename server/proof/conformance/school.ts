import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoIngestKey } from '#server/auth/ingest-key.ts';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import { openDatabase } from '#server/database.ts';
import { filesOnDisk, type ReadArchive, readArchive } from '#server/proof/archive-reader.ts';
import { DEMO_SCHOOL_ID, demoId, findDemoPerson } from '../../../prisma/demo-people.ts';
import { seedDemoSchool } from '../../../prisma/demo-school.ts';

/** A domain whose claims are matched, and two students of it by their id at Google. */
export const DOMAIN = 'school.test';
export const KNOWN = { ada: '115700', bo: '220000' } as const;
export const ADA = 'student01@demo.test';
export const BO = 'student02@demo.test';
export const EXTENSION = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const START_MS = 60_000;

/** `main.ts` as it is started for real, in a process that may be killed; its data stay from one life to the next. */
export type School = {
  readonly port: number;
  readonly url: string;
  readonly origin: string;
  idOf(email: string): string;
  token(email: string): Promise<string>;
  /** The value of the `cookie` header after a sign-in. */
  cookie(email: string): Promise<string>;
  /** SIGKILL; all that is durable is then on the disk. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** What the disk holds; of a school that was killed, or that nobody sends anything to. */
  archive(): ReadArchive;
  readonly archiveDir: string;
  /** Of the process that lives now, or lived last. */
  readonly pid: () => number;
  /** Resolves with the exit code of that process. */
  readonly ended: () => Promise<number | null>;
  close(): Promise<void>;
};

export type SchoolOptions = {
  /** Where its data lie; taken away when the school is closed. Default: a new folder. */
  readonly varDir?: string;
  /** Settings beside, or instead of, those of a test. */
  readonly environment?: Readonly<Record<string, string>>;
};

export async function openSchool(options: SchoolOptions = {}): Promise<School> {
  const varDir = options.varDir ?? (await mkdtemp(join(tmpdir(), 'conformance-')));
  await letClaimsMatch(varDir);
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    child = spawnMain(varDir, port, options.environment);
    await ready(child, port);
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  await start();
  const idOf = (email: string) => findDemoPerson(email)?.id ?? '';
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    origin,
    idOf,
    async token(email) {
      const subject = {
        person: idOf(email),
        school: DEMO_SCHOOL_ID,
        installation: demoId(`conformance ${email}`),
      };
      return (await signIngestToken(await demoIngestKey(varDir), subject, Date.now())).token;
    },
    async cookie(email) {
      const response = await fetch(`${origin}/api/dev-sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ email }),
      });
      return response.headers
        .getSetCookie()
        .map((set) => set.split(';')[0])
        .join('; ');
    },
    kill,
    start,
    archive: () => readArchive(filesOnDisk(join(varDir, 'archive'))),
    archiveDir: join(varDir, 'archive'),
    pid: () => child?.pid ?? 0,
    async ended() {
      if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child?.exitCode ?? null;
    },
    async close() {
      await kill();
      await rm(varDir, { recursive: true, force: true });
    },
  };
}

/** Before the first start, since a demo school itself switches claims on for visitors alone. */
async function letClaimsMatch(varDir: string): Promise<void> {
  const { prisma, close } = await openDatabase({ varDir, isDemo: true });
  await seedDemoSchool(prisma);
  await prisma.domainPolicy.create({ data: { schoolId: DEMO_SCHOOL_ID, domain: DOMAIN, claims: 'match' } });
  const ids = [
    [ADA, KNOWN.ada],
    [BO, KNOWN.bo],
  ] as const;
  for (const [email, value] of ids) {
    await prisma.externalId.create({
      data: {
        id: demoId(`external id ${email}`),
        personId: findDemoPerson(email)?.id ?? '',
        schoolId: DEMO_SCHOOL_ID,
        kind: 'google',
        issuer: 'https://accounts.google.com',
        value,
        source: 'hand',
      },
    });
  }
  await close();
}

/** Pages come from the build; where there is none yet the bundler makes them as they are asked for. */
function spawnMain(varDir: string, port: number, environment?: SchoolOptions['environment']): ChildProcess {
  const mode = existsSync(join(ROOT, '.next', 'BUILD_ID')) ? [] : ['--dev'];
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, ['server/main.ts', '--demo', ...mode], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH,
      HOME,
      NODE_ENV: 'production',
      VAR_DIR: varDir,
      PORT: String(port),
      DEMO_PUPILS: '0',
      MIN_FREE_BYTES: '0',
      LOG_LEVEL: 'error',
      INGEST_ORIGINS: EXTENSION,
      ...environment,
    },
  });
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/api/health/ready`).catch(() => null);
    if (answer?.status === 200) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('the server did not become ready');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
