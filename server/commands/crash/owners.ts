import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Load, newKey, openLoad } from '#server/proof/load.ts';
import { type ProofChild, startProofChild } from '#server/proof/proof-child.ts';
import type { ProcessSettings } from '#server/proof/proof-process.ts';
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
  type Round,
  type Scenario,
  SEAL_BYTES,
  underway,
} from './round.ts';

/** Crashes before a new archive is begun: the oracle reads all of it each time. */
const ROUNDS_OF_A_LIFE = 5;
const FENCED_MS = 5_000;

type Life = {
  readonly scenario: Scenario;
  readonly redis: RedisServer;
  readonly load: Load;
  /** The owner of now; each crash makes another. */
  child: ProofChild;
  settings: ProcessSettings;
};

/**
 * R3 over one Redis: in turns the owner is killed and comes back, and is stopped, replaced by a second one on the archive as
 * it stood, and woken up again. What the stale one then flushes must be refused.
 */
export async function runOwners(scenario: Scenario): Promise<void> {
  const redis = await startRedis();
  try {
    for (let done = 0; done < scenario.rounds; done += ROUNDS_OF_A_LIFE) {
      const rounds = Math.min(ROUNDS_OF_A_LIFE, scenario.rounds - done);
      await inNewFolder((folder) => changeOwners(scenario, folder, redis, rounds));
    }
  } finally {
    await redis.stop();
  }
}

async function changeOwners(
  scenario: Scenario,
  folder: string,
  redis: RedisServer,
  rounds: number,
): Promise<void> {
  const { random, sabotage, onRound } = scenario;
  const key = newKey();
  const settings: ProcessSettings = {
    varDir: join(folder, 'first'),
    port: 0,
    key: pemOf(key),
    sealBytes: SEAL_BYTES,
    sabotage,
    redisUrl: redis.url,
  };
  const child = await startProofChild(settings);
  const load = openLoad({
    url: `http://127.0.0.1:${child.port}`,
    key,
    seed: random.below(2 ** 31),
    connections: 8,
  });
  const life: Life = {
    scenario,
    redis,
    load,
    child,
    settings: { ...settings, port: child.port },
  };
  try {
    for (let round = 0; round < rounds; round += 1) {
      await underway(load);
      await after(random.between(50, 700));
      onRound(round % 2 === 0 ? await killOwner(life) : await replaceOwner(life, join(folder, `${round}`)));
    }
  } finally {
    load.close();
    await life.child.end('SIGKILL');
  }
}

async function killOwner(life: Life): Promise<Round> {
  const { redis, load, child, settings } = life;
  const moment = momentOf(load);
  await child.end('SIGKILL');
  const round = await judge({
    what: 'killed owner',
    files: archiveIn(settings.varDir),
    load,
    compare: (archive) => compareRedis(redis.url, archive),
    moment,
    readyMs: child.readyMs,
  });
  life.child = await startProofChild(settings);
  return round;
}

/** The second owner stands still while the stale one runs, so that it cannot write over what that one may do. */
async function replaceOwner(life: Life, varDir: string): Promise<Round> {
  const { redis, load, child: stale, settings } = life;
  const moment = momentOf(load);
  stale.signal('SIGSTOP');
  await cp(join(settings.varDir, 'archive'), join(varDir, 'archive'), { recursive: true });
  const second = await startProofChild({ ...settings, varDir, port: 0 });
  life.child = second;
  life.settings = { ...settings, varDir, port: second.port };
  const before = load.acknowledged();
  load.moveTo(`http://127.0.0.1:${second.port}`);
  await eventually(() => load.acknowledged() > before, 5_000);
  await after(life.scenario.random.between(50, 300));
  second.signal('SIGSTOP');
  stale.signal('SIGCONT');
  const isFenced = await eventually(async () => (await stale.ask('status')).phase === 'fenced', FENCED_MS);
  await stale.end('SIGKILL');
  const round = await judge({
    what: 'stale owner',
    files: archiveIn(varDir),
    load,
    compare: (archive) => compareRedis(redis.url, archive),
    moment,
    readyMs: second.readyMs,
    others: isFenced ? [] : [`the stale owner was not told within ${FENCED_MS} ms`],
  });
  second.signal('SIGCONT');
  await rm(settings.varDir, { recursive: true });
  return round;
}
