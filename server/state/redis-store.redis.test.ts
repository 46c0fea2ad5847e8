import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedis } from './redis-server.ts';
import { openRedisStore } from './redis-store.ts';
import { describeStateStore } from './state-store.contract.ts';

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  admin.on('error', () => {});
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const newId = () => randomBytes(16).toString('hex');

describeStateStore('states in Redis', async () => {
  await admin.flushall();
  return openRedisStore({ url: server.url });
});

describe('states in Redis, when Redis fails', () => {
  it('are refused as a whole at maxmemory, and taken again when there is room', async () => {
    const store = openRedisStore({ url: server.url });
    const archive = newId();
    await store.claim({ archive, fence: 0, end: 9 });
    const writes = [{ student: 'ada', set: [['a', 'x'.repeat(100_000)]] as [string, string][], del: [] }];
    await admin.config('SET', 'maxmemory', '1mb');
    await expect(store.flush({ fence: 0, base: -1, checkpoint: 0, writes })).rejects.toThrow(/OOM/);
    expect(await store.load('ada')).toEqual({ checkpoint: -1, fields: new Map() });
    await admin.config('SET', 'maxmemory', '0');
    expect(await store.flush({ fence: 0, base: -1, checkpoint: 0, writes })).toEqual({ ok: true });
    await store.close();
  });

  it('are not claimed where Redis would evict them', async () => {
    const store = openRedisStore({ url: server.url });
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(store.claim({ archive: newId(), fence: 0, end: 9 })).rejects.toThrow(/noeviction/);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await store.close();
  });

  it('are given up on when Redis hangs, and the late write is either in or not', async () => {
    const store = openRedisStore({ url: server.url, timeoutMs: 200 });
    await store.claim({ archive: newId(), fence: 0, end: 9 });
    server.signal('SIGSTOP');
    const writes = [{ student: 'ada', set: [['a', '1']] as [string, string][], del: [] }];
    await expect(store.flush({ fence: 0, base: -1, checkpoint: 0, writes })).rejects.toThrow();
    server.signal('SIGCONT');
    const { checkpoint, fields } = await store.load('ada');
    expect([checkpoint, fields.size]).toEqual(checkpoint === 0 ? [0, 1] : [-1, 0]);
    await store.close();
  });

  it('are gone with a Redis that kept nothing, and reachable again without a new store', async () => {
    const store = openRedisStore({ url: server.url });
    await store.claim({ archive: newId(), fence: 0, end: 9 });
    const writes = [{ student: 'ada', set: [['a', '1']] as [string, string][], del: [] }];
    await store.flush({ fence: 0, base: -1, checkpoint: 3, writes });
    await server.restart();
    await vi.waitFor(async () => {
      expect(await store.load('ada')).toEqual({ checkpoint: -1, fields: new Map() });
    }, 10_000);
    expect(await store.flush({ fence: 0, base: 3, checkpoint: 4, writes })).toEqual({
      ok: false,
      why: 'stale',
    });
    await store.close();
  });
});
