import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '#server/state/redis-server.ts';
import { ADA, openSchool, type School } from './school.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const MIN_FREE_BYTES = 16 * MIB;
/** O6 of access.md §11. */
const OFF_WITHIN_MS = 2_000;
const ON_WITHIN_MS = 5_000;
const ROUNDS = 5;

let folder: string;
let disk: string;
let school: School;

/** A school whose data lie on a disk of its own, so that this disk alone can be filled. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'health-'));
  disk = join(folder, 'disk');
  if (process.getuid?.() !== 0) throw new Error('these tests mount a small disk, which only root may do');
  await run('mkdir', [disk]);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=384m', 'tmpfs', disk]);
  school = await openSchool({
    varDir: join(disk, 'var'),
    environment: { MIN_FREE_BYTES: String(MIN_FREE_BYTES) },
  });
}, 120_000);
afterAll(async () => {
  await school?.close();
  await run('umount', ['-l', disk]);
  await rm(folder, { recursive: true, force: true });
});

type Seen = { readonly status: number; readonly checks: Readonly<Record<string, string>> };

async function ready(at: School): Promise<Seen> {
  const answer = await fetch(`${at.url}/api/health/ready`);
  const { checks } = (await answer.json()) as { readonly checks: Seen['checks'] };
  return { status: answer.status, checks };
}

async function health(at: School): Promise<number> {
  return (await fetch(`${at.url}/api/health`)).status;
}

/** Asks until it is so; how long it took, ms. */
async function untilReady(at: School, status: number): Promise<number> {
  const from = performance.now();
  while ((await ready(at)).status !== status) {
    if (performance.now() - from > 20_000) throw new Error(`not ${status} within 20 s`);
    await new Promise((done) => setTimeout(done, 20));
  }
  return performance.now() - from;
}

async function post(at: School, seq: number): Promise<{ readonly type: string; readonly code?: string }> {
  const now = Date.now();
  const body = {
    v: 1,
    type: 'events',
    producer: 'producer-of-health',
    epoch: 1,
    from: seq,
    oldest: seq,
    now,
  };
  const events = [{ event: 'mark', sentAt: now, body: {} }];
  const answer = await fetch(`${at.url}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await at.token(ADA)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, source: 'nobody', events }),
  });
  return (await answer.json()) as { readonly type: string; readonly code?: string };
}

test('readiness goes off within 2 s once the disk of the archive is full and comes back with the room; health stays', async () => {
  const off: number[] = [];
  const on: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    expect(await ready(school)).toMatchObject({ status: 200, checks: { archive: 'accepting' } });
    // An event of an unknown source becomes a bad row, so it has to be durable like any other.
    expect(await post(school, round + 1)).toMatchObject({ type: 'stored' });
    const filler = join(disk, 'filler');
    const { bavail, bsize } = await statfs(disk);
    // At another moment between two of its looks each time.
    await new Promise((done) => setTimeout(done, round * 170));
    await writeFile(filler, Buffer.alloc(bavail * bsize - MIN_FREE_BYTES / 2));
    off.push(await untilReady(school, 503));
    expect(await ready(school)).toMatchObject({ status: 503, checks: { archive: 'disk-full' } });
    expect(await health(school)).toBe(200);
    expect(await post(school, round + 2)).toMatchObject({ type: 'refused', code: 'disk-full' });
    await rm(filler);
    on.push(await untilReady(school, 200));
  }
  const [offMs, onMs] = [Math.max(...off), Math.max(...on)];
  console.log(
    `figure health.ready-off ${Math.round(offMs)} ms\nfigure health.ready-on ${Math.round(onMs)} ms`,
  );
  expect(offMs).toBeLessThanOrEqual(OFF_WITHIN_MS);
  expect(onMs).toBeLessThanOrEqual(ON_WITHIN_MS);
});

test('readiness stays on while Redis is down, says so, and health with it', async () => {
  const redis = await startRedis();
  const withRedis = await openSchool({ environment: { REDIS_URL: redis.url } });
  try {
    expect((await ready(withRedis)).status).toBe(200);
    await redis.kill();
    expect(await post(withRedis, 1)).toMatchObject({ type: 'stored' });
    const until = performance.now() + 2 * OFF_WITHIN_MS;
    const seen = new Set<string>();
    while (performance.now() < until) {
      const { status, checks } = await ready(withRedis);
      expect(status).toBe(200);
      seen.add(checks.states ?? '');
      expect(await health(withRedis)).toBe(200);
      await new Promise((done) => setTimeout(done, 50));
    }
    expect([...seen]).toContain('running, the store is silent');
  } finally {
    await withRedis.close();
    await redis.stop();
  }
}, 60_000);

test('a disk that fails ends the process with 74 within 2 s, so nobody is told that it is ready', async () => {
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO'];
  const strace = spawn('strace', [...args, '-p', String(school.pid())], { stdio: 'ignore' });
  const from = await attached(school.pid());
  const answer = post(school, ROUNDS + 1).then(
    (heard) => heard.type,
    () => 'no answer',
  );
  const code = await school.ended();
  expect(performance.now() - from).toBeLessThanOrEqual(OFF_WITHIN_MS);
  expect(code).toBe(74);
  expect(await answer).not.toBe('stored');
  await expect(ready(school)).rejects.toThrow();
  if (strace.exitCode === null) await once(strace, 'exit');
});

/** When a tracer has the process; throws where strace may not attach. */
async function attached(pid: number): Promise<number> {
  const until = performance.now() + 10_000;
  for (;;) {
    const { stdout } = await run('cat', [`/proc/${pid}/status`]);
    if (!/^TracerPid:\t0$/m.test(stdout)) return performance.now();
    if (performance.now() > until) throw new Error('strace could not attach: install it, and allow ptrace');
    await new Promise((done) => setTimeout(done, 20));
  }
}
