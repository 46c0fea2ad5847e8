import { Redis } from 'ioredis';
import { newKey, openLoad } from '#server/proof/load.ts';
import { startProofChild } from '#server/proof/proof-child.ts';
import { type RedisServer, startRedis } from '#server/state/redis-server.ts';
import { compareRedis } from './redis-states.ts';
import {
  after,
  archiveIn,
  inNewFolder,
  judge,
  momentOf,
  pemOf,
  type Scenario,
  SEAL_BYTES,
  underway,
} from './round.ts';

/** One way in which Redis is of no use for a while. */
type Outage = {
  readonly what: string;
  readonly begin: (redis: RedisServer) => Promise<void>;
  readonly end: (redis: RedisServer) => Promise<void>;
};

/** It keeps what it has on its disk, to the last second. */
const SETTINGS = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'];
const CAUGHT_UP_MS = 120_000;
const CONNECTIONS = 16;
/** Makes about 2,000 events a second of these connections: a load under which waiting times mean something. */
const PAUSE_MS = 100;
const BASELINE_MS = 5_000;
/** What waited while the server was held to be looked at has been answered by then. */
const SETTLED_MS = 1_500;
/** From this on a 99th percentile is judged: fewer seconds say more about the machine. */
const JUDGED_MS = 10_000;
const MOST_SLOWER = 1.2;
/** Of the clock and of what else the machine does, in a 99th percentile. */
const NOISE_MS = 5;
/** No answer waits for Redis, whose calls are given up after five seconds. */
const LONGEST_MS = 3_000;

const OUTAGES: readonly Outage[] = [
  {
    what: 'stopped',
    begin: (redis) => redis.kill(),
    end: (redis) => redis.restart(),
  },
  {
    what: 'hung',
    begin: async (redis) => redis.signal('SIGSTOP'),
    end: async (redis) => redis.signal('SIGCONT'),
  },
  {
    what: 'full',
    begin: (redis) => ask(redis, (client) => client.config('SET', 'maxmemory', '1mb')),
    end: (redis) => ask(redis, (client) => client.config('SET', 'maxmemory', '0')),
  },
  {
    what: 'emptied',
    begin: (redis) => ask(redis, (client) => client.flushall()),
    end: async () => {},
  },
];

async function ask(redis: RedisServer, act: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(redis.url);
  try {
    await act(client);
  } finally {
    client.disconnect();
  }
}

/** R8: Redis away for as long as `outageMs` says. The archive goes on acknowledging as fast as before; afterwards the states are the fold. */
export async function runOutages(scenario: Scenario): Promise<void> {
  const redis = await startRedis(SETTINGS);
  try {
    await inNewFolder((varDir) => sitOut(scenario, varDir, redis));
  } finally {
    await redis.stop();
  }
}

async function sitOut(scenario: Scenario, varDir: string, redis: RedisServer): Promise<void> {
  const { random, sabotage, onRound, outageMs = 3_000 } = scenario;
  const key = newKey();
  const settings = { varDir, port: 0, key: pemOf(key), sealBytes: SEAL_BYTES, sabotage, redisUrl: redis.url };
  const child = await startProofChild(settings);
  let waits: number[] = [];
  const load = openLoad({
    url: `http://127.0.0.1:${child.port}`,
    key,
    seed: random.below(2 ** 31),
    connections: CONNECTIONS,
    cutEvery: 0,
    pauseMs: PAUSE_MS,
    onStored: (ms) => void waits.push(ms),
  });
  const listen = async (ms: number): Promise<Waited> => {
    const p99s: number[] = [];
    let frames = 0;
    let longest = 0;
    for (let second = 0; second < ms / 1_000; second++) {
      waits = [];
      await after(1_000);
      p99s.push(quantile(waits, 0.99));
      frames += waits.length;
      longest = Math.max(longest, ...waits);
    }
    return { p99: quantile(p99s, 0.5), quiet: quantile(p99s, 0.25), longest, frames: frames / p99s.length };
  };
  try {
    await underway(load);
    for (const outage of OUTAGES) {
      await after(SETTLED_MS);
      const before = await listen(Math.min(outageMs, BASELINE_MS));
      await outage.begin(redis);
      const during = await listen(outageMs);
      const moment = momentOf(load);
      await outage.end(redis);
      const caughtUpMs = await catchUp(() => child.ask('quiet'));
      child.signal('SIGSTOP');
      await after(20);
      const others = complaints(before, during, caughtUpMs, outageMs >= JUDGED_MS);
      onRound(
        await judge({
          what: `redis ${outage.what}`,
          files: archiveIn(varDir),
          load,
          compare: (archive) => compareRedis(redis.url, archive),
          moment,
          others,
        }),
      );
      child.signal('SIGCONT');
      const name = `crash.redis-${outage.what}`;
      console.log(`figure ${name}.seconds ${outageMs / 1000} s`);
      console.log(`figure ${name}.ack-p99 ${during.p99.toFixed(1)} of-${before.p99.toFixed(1)}-ms`);
      console.log(`figure ${name}.ack-p99-quiet ${during.quiet.toFixed(1)} of-${before.quiet.toFixed(1)}-ms`);
      console.log(`figure ${name}.ack-longest ${Math.round(during.longest)} ms`);
      console.log(`figure ${name}.caught-up ${Math.round(caughtUpMs)} ms`);
    }
  } finally {
    load.close();
    await child.end('SIGKILL');
  }
}

async function catchUp(quiet: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await Promise.race([quiet(), after(CAUGHT_UP_MS)]);
  return performance.now() - since;
}

/** `p99`: the median over its seconds. `quiet`: of the quieter quarter, since what else the machine does makes some worse, a slower server makes all worse. `frames`: acknowledged, a second. */
type Waited = {
  readonly p99: number;
  readonly quiet: number;
  readonly longest: number;
  readonly frames: number;
};

function complaints(before: Waited, during: Waited, caughtUpMs: number, isLong: boolean): string[] {
  const checks: readonly (readonly [boolean, string])[] = [
    [
      during.frames > before.frames / 2,
      `${Math.round(during.frames)} frames a second were acknowledged, and ${Math.round(before.frames)} before`,
    ],
    [
      !isLong || during.quiet <= MOST_SLOWER * before.quiet + NOISE_MS,
      `acknowledged within ${during.quiet.toFixed(1)} ms in quiet seconds, and ${before.quiet.toFixed(1)} ms before the outage`,
    ],
    [during.longest < LONGEST_MS, `one frame was acknowledged after ${Math.round(during.longest)} ms`],
    [caughtUpMs < CAUGHT_UP_MS, `the states did not catch up within ${CAUGHT_UP_MS} ms`],
  ];
  return checks.filter(([isKept]) => !isKept).map(([, sentence]) => sentence);
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.POSITIVE_INFINITY;
}
