import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, pemOf } from '#server/commands/crash/round.ts';
import { newKey, openLoad } from '../load.ts';
import { startProofChild } from '../proof-child.ts';
import type { SabotageName } from '../sabotage.ts';
import { auditCalls } from './audit.ts';
import { type Moment, momentsOf } from './trace.ts';

const CALLS =
  'openat,close,read,recvfrom,write,writev,sendto,sendmsg,pwrite64,pwritev,fdatasync,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat';
const LONGEST_STRING = 32 * 1024 * 1024;
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`system calls: seed ${SEED}`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syscalls-'));
  console.info(execFileSync('strace', ['-V']).toString().split('\n')[0]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Follows every thread of a process; resolves once it does, and throws where a tracer may not attach. */
async function attach(pid: number, to: string): Promise<ChildProcess> {
  const args = ['-f', '-yy', '-s', String(LONGEST_STRING), '-e', `trace=${CALLS}`, '-e', 'signal=none'];
  const strace = spawn('strace', [...args, '-o', to, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  strace.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const isTraced = async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return !/^TracerPid:\t0$/m.test(status) || strace.exitCode !== null;
  };
  await eventually(isTraced, 10_000);
  if (strace.exitCode !== null || !(await isTraced())) throw new Error(`strace cannot attach: ${said}`);
  return strace;
}

type Traced = { readonly moments: readonly Moment[]; readonly places: Parameters<typeof auditCalls>[1] };

/** A server under load with every call of it noted, until so many events were acknowledged; then it is stopped as by SIGTERM. */
async function traced(wanted: number, sabotage?: SabotageName): Promise<Traced> {
  const varDir = await mkdtemp(join(folder, 'var-'));
  const key = newKey();
  const settings = { varDir, port: 0, key: pemOf(key), sealBytes: 512 * 1024 };
  const child = await startProofChild(sabotage ? { ...settings, sabotage } : settings);
  const path = join(varDir, 'trace');
  const strace = await attach(child.pid, path);
  const load = openLoad({
    url: `http://127.0.0.1:${child.port}`,
    key,
    seed: SEED,
    connections: 12,
    observers: 0,
  });
  try {
    const isEnough = await eventually(() => load.acknowledged() >= wanted, 60_000);
    expect(isEnough, `${load.acknowledged()} acknowledged`).toBe(true);
    load.close();
    await child.end('SIGTERM');
    if (strace.exitCode === null) await once(strace, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface({ input: createReadStream(path, 'latin1') })) lines.push(line);
    const places = { archive: join(varDir, 'archive'), states: join(varDir, 'states') };
    return { moments: [...momentsOf(lines)], places };
  } finally {
    load.close();
    await child.end('SIGKILL');
  }
}

const LEFT_OUT: readonly (readonly [string, RegExp, RegExp])[] = [
  ['the sync of a group', /^fdatasync$/, /\.open$/],
  ['the sync of a sealed segment', /^fdatasync$/, /\.seg\.tmp$/],
  ['the sync of a commit', /^fdatasync$/, /\.json\.tmp$/],
  ['the sync of the stream ids', /^fdatasync$/, /streams\.log$/],
  ['the sync of the folder of segments', /^fsync$/, /archive\/p000$/],
  ['the sync of the folder of commits', /^fsync$/, /commits\/p000$/],
  ['the commit', /^link(at)?$/, /^/],
];

test('no answer leaves before the sync that covers it, and no name, checkpoint or deletion comes before what it relies on', async () => {
  const { moments, places } = await traced(30_000);
  const { early, unsynced, ...counts } = auditCalls(moments, places);
  for (const [name, count] of Object.entries({ ...counts, early: early.length, unsynced: unsynced.length }))
    console.log(`figure syscalls.${name} ${count}`);
  expect(early.slice(0, 5)).toEqual([]);
  expect(unsynced.slice(0, 5)).toEqual([]);
  expect(counts.events).toBeGreaterThanOrEqual(10_000);
  expect(counts.answers).toBeGreaterThan(500);
  expect(counts.badRows).toBeGreaterThan(100);
  expect(counts.seals).toBeGreaterThan(2);
  expect(counts.checkpoints).toBeGreaterThan(2);
  // A call that had not been made would have been missed.
  for (const [what, call, target] of LEFT_OUT) {
    const without = moments.filter((moment) => !(call.test(moment.call) && target.test(moment.target)));
    expect(without.length, what).toBeLessThan(moments.length);
    const found = auditCalls(without, places);
    expect(found.early.length + found.unsynced.length, what).toBeGreaterThan(0);
  }
  const isAhead = ({ call, target }: Moment) => /^pwrite/.test(call) && target.startsWith(places.states);
  const states = moments.filter(isAhead);
  const half = moments.length >> 1;
  // The last record: its values and index, then its prefix, each as it begins and as it ends.
  const hurried = [...moments.slice(0, half), ...states.slice(-4), ...moments.slice(half)];
  expect(states.length).toBeGreaterThan(2);
  expect(auditCalls(hurried, places).unsynced.length, 'a checkpoint too early').toBeGreaterThan(0);
});

test.each(['answers-early', 'never-syncs'] as const)('a server that %s is found out', async (sabotage) => {
  const { moments, places } = await traced(500, sabotage);
  expect(auditCalls(moments, places).early.length).toBeGreaterThan(0);
});
