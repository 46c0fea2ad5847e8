import { Redis } from 'ioredis';
import { newKey, openLoad } from '#server/proof/load.ts';
import { startProofChild } from '#server/proof/proof-child.ts';
import { type RedisServer, startRedis } from '#server/state/redis-server.ts';
import { runOutages } from './redis-outage.ts';
import { compareRedis } from './redis-states.ts';
import {
  after,
  archiveIn,
  eventually,
  inNewFolder,
  judge,
  momentOf,
  pemOf,
  type Scenario,
  SEAL_BYTES,
  underway,
} from './round.ts';

/** What a killed Redis comes back with: all but the last second at worst, or nothing. */
const SETTINGS = [
  ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'],
  ['--save', ''],
] as const;
/** Each round judges all that its life has archived: a long one spends its time on what was judged before. */
const ROUNDS_OF_A_LIFE = 5;
const CAUGHT_UP_MS = 15_000;
const FULL_MS = 600;

/** R3, R8: SIGKILL of Redis under load with the owner alive; in turns at once, after it hung for a while, after it was full; then measured outages. */
export async function runRedis(scenario: Scenario): Promise<void> {
  const half = Math.ceil(scenario.rounds / 2);
  const shares = [half, scenario.rounds - half];
  for (const [i, settings] of SETTINGS.entries())
    for (let left = shares[i] ?? 0; left > 0; left -= ROUNDS_OF_A_LIFE)
      await live({ ...scenario, rounds: Math.min(left, ROUNDS_OF_A_LIFE) }, settings);
  await runOutages(scenario);
}

async function live(scenario: Scenario, settings: (typeof SETTINGS)[number]): Promise<void> {
  const redis = await startRedis(settings);
  try {
    await inNewFolder((varDir) => outlive(scenario, varDir, redis));
  } finally {
    await redis.stop();
  }
}

/** At `maxmemory` it refuses what the owner flushes; the next start has room again. */
async function fillUp(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.config('SET', 'maxmemory', '1mb');
    await after(FULL_MS);
  } finally {
    redis.disconnect();
  }
}

async function outlive(scenario: Scenario, varDir: string, redis: RedisServer): Promise<void> {
  const { random, rounds, sabotage, onRound } = scenario;
  const key = newKey();
  const settings = { varDir, port: 0, key: pemOf(key), sealBytes: SEAL_BYTES, sabotage, redisUrl: redis.url };
  const child = await startProofChild(settings);
  const load = openLoad({
    url: `http://127.0.0.1:${child.port}`,
    key,
    seed: random.below(2 ** 31),
    connections: 8,
  });
  try {
    for (let round = 0; round < rounds; round += 1) {
      await underway(load);
      await after(random.between(100, 700));
      const others: string[] = [];
      if (round % 3 === 1) {
        redis.signal('SIGSTOP');
        const before = load.acknowledged();
        if (!(await eventually(() => load.acknowledged() > before, 2_000)))
          others.push('nothing was acknowledged while redis hung');
        await after(random.between(50, 400));
      }
      if (round % 3 === 2) await fillUp(redis.url);
      const moment = momentOf(load);
      await redis.restart();
      const quiet = child.ask('quiet').then(() => true);
      const isQuiet = await Promise.race([quiet, after(CAUGHT_UP_MS).then(() => false)]);
      if (!isQuiet) others.push(`the states did not catch up within ${CAUGHT_UP_MS} ms`);
      child.signal('SIGSTOP');
      await after(20);
      onRound(
        await judge({
          what: 'redis',
          files: archiveIn(varDir),
          load,
          compare: (archive) => compareRedis(redis.url, archive),
          moment,
          others,
        }),
      );
      child.signal('SIGCONT');
    }
  } finally {
    load.close();
    await child.end('SIGKILL');
  }
}
