import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { demoIngestKey } from '#server/auth/ingest-key.ts';
import { signIngestToken } from '#server/auth/ingest-token.ts';
import { SERVER_ENVIRONMENT, SERVER_FLAGS } from '#server/commands/setup/server-process.mjs';
import { type IngestClient, openIngestClient } from '#server/simulate/ingest-client.ts';
import {
  DEMO_CLASSES,
  DEMO_PEOPLE,
  DEMO_SCHOOL_ID,
  demoId,
  ENGLISH_STUDENTS,
} from '../../../prisma/demo-people.ts';

const EVERY_MS = 500;
/** Spreads the pupils over the half second without a comb. */
const GOLDEN = 0.618034;
const WARM_UP_MS = 3000;
const READY_MS = 30_000;
const BEGINNING = 'The rain had stopped before anybody noticed, and the street was quiet again. '.repeat(65);

/**
 * From a pupil's change to the frame in which the teacher's browser has painted it, ms each: the whole server as a
 * process of its own, its demo class of 30 on ingest sockets, and Chromium. Needs a built `.next`.
 */
export async function measurePainted({ seconds }: { readonly seconds: number }): Promise<readonly number[]> {
  if (!existsSync('.next/BUILD_ID'))
    throw new Error('there is no build of the pages: npm run build makes one');
  const varDir = await mkdtemp(join(tmpdir(), 'bench-painted-'));
  const server = await startServer(varDir);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
    const pupils = openPupils(server.url, varDir);
    await openDashboard(page, server.url);
    await watchPaint(page);
    const sent = await typeAll(pupils, seconds * 1000);
    const painted = await page.evaluate(() => Object.entries((window as unknown as Painting).painted));
    for (const { client } of pupils) client.close();
    return latenciesOf(sent, new Map(painted));
  } finally {
    await browser.close();
    await server.stop();
    await rm(varDir, { recursive: true });
  }
}

async function startServer(varDir: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const child = spawn(process.execPath, [...SERVER_FLAGS, 'server/main.ts', '--demo'], {
    env: {
      ...process.env,
      ...SERVER_ENVIRONMENT,
      NODE_ENV: 'production',
      PORT: String(port),
      VAR_DIR: varDir,
      DEMO_PUPILS: '0',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await isReady(child, url);
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

async function isReady(child: ChildProcess, url: string): Promise<void> {
  for (const began = Date.now(); Date.now() - began < READY_MS; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/api/health/ready`).catch(() => null);
    if (answer?.ok) return;
  }
  child.kill('SIGTERM');
  throw new Error('the server did not get ready');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function openDashboard(page: Page, url: string): Promise<void> {
  const headers = { origin: url };
  const data = { email: 'teacher@demo.test' };
  const answer = await page.request.post(`${url}/api/dev-sign-in`, { headers, data });
  if (!answer.ok()) throw new Error(`the teacher cannot sign in: ${answer.status()}`);
  await page.goto(`${url}/classes/${DEMO_CLASSES.english}`);
  await page.getByText('quiet again').first().waitFor();
}

/** What the page keeps for us: when each mark was first painted, on the clock that both processes share. */
type Painting = { painted: Record<string, number> };

async function watchPaint(page: Page): Promise<void> {
  await page.evaluate(() => {
    const painted: Record<string, number> = {};
    (window as unknown as { painted: Record<string, number> }).painted = painted;
    const look = () => {
      const marks = document.body.textContent.match(/k[0-9a-z]+q/g) ?? [];
      const fresh = [...new Set(marks)].filter((mark) => !(mark in painted));
      for (const mark of fresh) painted[mark] = Number.NaN;
      if (fresh.length === 0) return;
      requestAnimationFrame(() => {
        // A message posted within a frame comes after that frame was painted.
        const channel = new MessageChannel();
        channel.port1.onmessage = () => {
          for (const mark of fresh) painted[mark] = performance.timeOrigin + performance.now();
        };
        channel.port2.postMessage(null);
      });
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
}

type Pupil = { readonly client: IngestClient; type(put: string): void };

function openPupils(url: string, varDir: string): readonly Pupil[] {
  const students = DEMO_PEOPLE.filter(({ as }) => as === 'student').slice(0, ENGLISH_STUDENTS);
  return students.map(({ id }) => openPupil(url, varDir, id));
}

function openPupil(url: string, varDir: string, person: string): Pupil {
  const client = openIngestClient({
    url,
    name: 'bench',
    token: async () => {
      const subject = { person, school: DEMO_SCHOOL_ID, installation: demoId(`bench ${person}`) };
      return (await signIngestToken(await demoIngestKey(varDir), subject, Date.now())).token;
    },
  });
  let length = 0;
  const capture = (event: string, body: object) =>
    client.capture({ source: 'writing-pad', event, sentAt: Date.now(), body: { doc: 'bench', ...body } });
  const type = (put: string) => {
    const at = length;
    length += put.length;
    capture('edited', { changes: [[at, 0, put]], length });
  };
  capture('opened', { title: 'A street in the rain' });
  type(BEGINNING);
  return { client, type };
}

/** Each change is a mark of its own, so that the page can say when it stood there. */
async function typeAll(pupils: readonly Pupil[], ms: number): Promise<ReadonlyMap<string, number>> {
  const sent = new Map<string, number>();
  const warmUntil = Date.now() + WARM_UP_MS;
  let last = 0;
  const type = (pupil: Pupil) => {
    last += 1;
    const mark = `k${last.toString(36)}q`;
    if (Date.now() > warmUntil) sent.set(mark, performance.timeOrigin + performance.now());
    pupil.type(`${mark} `);
  };
  const timers = pupils.map((pupil, i) =>
    setTimeout(() => timers.push(setInterval(type, EVERY_MS, pupil)), (i * GOLDEN * EVERY_MS) % EVERY_MS),
  );
  await sleep(WARM_UP_MS + ms);
  for (const timer of timers) clearInterval(timer);
  await sleep(1000);
  return sent;
}

function latenciesOf(
  sent: ReadonlyMap<string, number>,
  painted: ReadonlyMap<string, number>,
): readonly number[] {
  const latencies = [...sent].flatMap(([mark, at]) => {
    const shown = painted.get(mark);
    return shown === undefined || Number.isNaN(shown) ? [] : [shown - at];
  });
  if (latencies.length < sent.size * 0.95)
    throw new Error(`only ${latencies.length} of ${sent.size} changes were painted`);
  return latencies;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
