import { Redis } from 'ioredis';
import { inSlices } from '#server/in-slices.ts';
import { type FlushResult, type StateStore, taken } from './state-store.ts';

export type RedisStoreOptions = {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  readonly partition?: number;
  /** A call that is not answered by then rejects; whether it took effect is settled by the next one. */
  readonly timeoutMs?: number;
};

// One call each: Redis runs a script to its end before anything else, and refuses it before its first write or not at all.
const CLAIM = `
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '-1')
if tonumber(ARGV[1]) < fence then return 'fenced' end
local checkpoint = tonumber(redis.call('HGET', KEYS[1], 'checkpoint') or '-1')
if checkpoint >= tonumber(ARGV[2]) then
  for _, student in ipairs(redis.call('SMEMBERS', KEYS[2])) do redis.call('UNLINK', ARGV[3] .. student) end
  redis.call('UNLINK', KEYS[2])
  checkpoint = -1
end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'checkpoint', string.format('%.0f', checkpoint))
return string.format('%.0f', checkpoint)`;

const EMPTY = `
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '-1')
if tonumber(ARGV[1]) < fence then return 'fenced' end
for _, student in ipairs(redis.call('SMEMBERS', KEYS[2])) do redis.call('UNLINK', ARGV[2] .. student) end
redis.call('UNLINK', KEYS[2])
redis.call('HSET', KEYS[1], 'checkpoint', '-1')
return 'ok'`;

const LOAD = `return { redis.call('HGET', KEYS[1], 'checkpoint') or '-1', redis.call('HGETALL', KEYS[2]) }`;

// ARGV: fence, base, checkpoint, then per student: name, fields to delete (count, names), fields to set (count, name and value each).
const FLUSH = `
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '-1')
if tonumber(ARGV[1]) < fence then return 'fenced' end
if ARGV[2] ~= (redis.call('HGET', KEYS[1], 'checkpoint') or '-1') then return 'stale' end
redis.call('HSET', KEYS[1], 'checkpoint', ARGV[3])
local at = 4
for i = 3, #KEYS do
  local student = ARGV[at]
  local last = at + 1 + tonumber(ARGV[at + 1])
  for from = at + 2, last, 1000 do redis.call('HDEL', KEYS[i], unpack(ARGV, from, math.min(from + 999, last))) end
  at = last + 1
  last = at + 2 * tonumber(ARGV[at])
  for from = at + 1, last, 1000 do redis.call('HSET', KEYS[i], unpack(ARGV, from, math.min(from + 999, last))) end
  at = last + 1
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('SADD', KEYS[2], student) else redis.call('SREM', KEYS[2], student) end
end
return 'ok'`;

/** Redis answers nobody else while it takes a flush. */
const FLUSH_BYTES = 8 * 1024 * 1024;
/** Other processes show what is in it. */
const LONGEST_PACE_MS = 3_000;

/** Lists among the parts are flattened: a flush of a whole school has more parts than a call may have arguments. */
type Script = (...parts: readonly (string | number | readonly (string | number)[])[]) => Promise<unknown>;

/**
 * States in Redis: a hash per student, one for fence and checkpoint, all under the hash tag `{<archive>.p<n>}`. So
 * another archive's states are under other names, and are never read.
 *
 * Outages, `maxmemory` and time-outs are rejections. Redis MUST NOT evict keys (`noeviction`): a claim throws where it would.
 */
export function openRedisStore(options: RedisStoreOptions): StateStore {
  const { url, partition = 0, timeoutMs = 5_000 } = options;
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    // What was on its way when a connection broke may have arrived: sending it again is for the owner to decide.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    retryStrategy: (tries) => Math.min(tries * 100, 2_000),
    scripts: {
      stateClaim: { lua: CLAIM, numberOfKeys: 2 },
      stateEmpty: { lua: EMPTY, numberOfKeys: 2 },
      stateLoad: { lua: LOAD, numberOfKeys: 2 },
      stateFlush: { lua: FLUSH },
    },
  });
  redis.on('error', () => {}); // Each call that fails says so itself.
  const scripts = redis as unknown as Record<
    'stateClaim' | 'stateEmpty' | 'stateLoad' | 'stateFlush',
    Script
  >;
  let tag = '';
  const meta = () => `${tag}:meta`;
  const names = () => `${tag}:students`;
  const keyOf = (student: string) => `${tag}:s:${student}`;

  return {
    flushBytes: FLUSH_BYTES,
    longestPaceMs: LONGEST_PACE_MS,
    async claim({ archive, fence, end }) {
      await refuseEviction(redis);
      tag = `{${archive}.p${partition}}`;
      const found = await scripts.stateClaim(meta(), names(), fence, end, keyOf(''));
      if (found === 'fenced') throw taken();
      return Number(found);
    },
    async load(student) {
      const [checkpoint, flat] = (await scripts.stateLoad(meta(), keyOf(student))) as [string, string[]];
      const fields = new Map<string, string>();
      for (let i = 0; i < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '');
      return { checkpoint: Number(checkpoint), fields };
    },
    async flush({ fence, base, checkpoint, writes }): Promise<FlushResult> {
      const keys = [meta(), names()];
      const rest: (string | number)[] = [];
      await inSlices(writes, ({ student, set, del }) => {
        keys.push(keyOf(student));
        rest.push(student, del.length);
        for (const field of del) rest.push(field);
        rest.push(set.length);
        for (const [field, value] of set) rest.push(field, value);
      });
      const done = await scripts.stateFlush(keys.length, keys, fence, base, checkpoint, rest);
      return done === 'ok' ? { ok: true } : { ok: false, why: done === 'fenced' ? 'fenced' : 'stale' };
    },
    async empty(fence) {
      await scripts.stateEmpty(meta(), names(), fence, keyOf(''));
    },
    async *students() {
      let cursor = '0';
      const seen = new Set<string>();
      do {
        const [next, some] = await redis.sscan(names(), cursor, 'COUNT', 500);
        for (const student of some) {
          if (seen.has(student)) continue;
          seen.add(student);
          yield student;
        }
        cursor = next;
      } while (cursor !== '0');
    },
    async close() {
      redis.disconnect();
    },
  };
}

/** A student's hash that Redis has evicted would look like a student without states. */
async function refuseEviction(redis: Redis): Promise<void> {
  const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1] ?? '';
  if (policy.startsWith('allkeys'))
    throw new Error(`redis evicts states: set maxmemory-policy to noeviction, not ${policy}`);
}
