import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RedisServer, startRedis } from '#server/state/redis-server.ts';
import { describeNotices } from './notices.contract.ts';
import { openRedisNotices } from './redis-notices.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const open = (prefix = 'lo') => openRedisNotices({ url: server.url, prefix });

describeNotices('notices over Redis', async () => [open(), open()]);

it('hears again after Redis was away', async () => {
  const notices = open('away');
  const heard: string[] = [];
  notices.subscribe('states', (message) => heard.push(message));
  for (const message of ['before', 'after']) {
    await vi.waitFor(() => {
      notices.publish('states', message);
      expect(heard).toContain(message);
    }, 10_000);
    await server.restart();
  }
  await notices.close();
});

it('does not hear another server on the same Redis', async () => {
  const [mine, other] = [open('mine'), open('other')];
  const [heard, overheard]: [string[], string[]] = [[], []];
  mine.subscribe('states', (message) => heard.push(message));
  other.subscribe('states', (message) => overheard.push(message));
  await vi.waitFor(() => {
    mine.publish('states', 'a');
    other.publish('states', 'b');
    expect([heard.length > 0, overheard.length > 0]).toEqual([true, true]);
  });
  expect([new Set(heard), new Set(overheard)]).toEqual([new Set(['a']), new Set(['b'])]);
  await Promise.all([mine.close(), other.close()]);
});
