import { newKey, openLoad } from '#server/proof/load.ts';
import { startProofChild } from '#server/proof/proof-child.ts';
import { type RedisServer, startRedis } from '#server/state/redis-server.ts';
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
} from './round.ts';

/** What a killed Redis comes back with: all but the last second at worst, or nothing. */
const SETTINGS = [
  ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'],
  ['--save', ''],
] as const;
const CAUGHT_UP_MS = 15_000;

/** R3, R8: SIGKILL of Redis under load with the owner alive; every second time it hangs for a while before. */
export async function runRedis(scenario: Scenario): Promise<void> {
  const half = Math.ceil(scenario.rounds / 2);
  const shares = [half, scenario.rounds - half];
  for (const [i, settings] of SETTINGS.entries()) {
    if (!shares[i]) continue;
    const redis = await startRedis(settings);
    try {
      await inNewFolder((varDir) => outlive({ ...scenario, rounds: shares[i] ?? 0 }, varDir, redis));
    } finally {
      await redis.stop();
    }
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
      await eventually(() => load.inFlight() > 0, 5_000);
      await after(random.between(100, 700));
      const others: string[] = [];
      if (round % 2 === 1) {
        redis.signal('SIGSTOP');
        const before = load.acknowledged();
        if (!(await eventually(() => load.acknowledged() > before, 2_000)))
          others.push('nothing was acknowledged while redis hung');
        await after(random.between(50, 400));
      }
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
