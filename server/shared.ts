import { join } from 'node:path';
import type { Archive } from './archive/archive.ts';
import type { Env } from './env.ts';
import type { Log } from './log.ts';
import type { Notices } from './notices/notices.ts';
import type { StateStore } from './state/state-store.ts';

/** Where states and notices live: a Redis when one is named, else files and this process. Only the branch that is taken is loaded. */
export async function openShared({
  env,
  archive,
  log,
}: {
  readonly env: Env;
  readonly archive: Archive;
  readonly log: Log;
}): Promise<{
  readonly store: StateStore;
  readonly notices: Notices;
  close(): Promise<void>;
}> {
  if (env.REDIS_URL) {
    const [{ Redis }, { redisStore }, { redisNotices }] = await Promise.all([
      import('ioredis'),
      import('./state/redis-store.ts'),
      import('./notices/redis-notices.ts'),
    ]);
    const redis = new Redis(env.REDIS_URL, { maxRetriesPerRequest: 1 });
    redis.on('error', (error) => log.warn({ name: error.name }, 'redis does not answer'));
    const store = redisStore(redis, archive.id);
    const notices = redisNotices(redis);
    return { store, notices, close: () => closeAll(notices, store) };
  }
  const [{ openFileStore }, { memoryNotices }] = await Promise.all([
    import('./state/file-store.ts'),
    import('./notices/memory-notices.ts'),
  ]);
  const store = await openFileStore({ directory: join(env.varDir, 'states') });
  const notices = memoryNotices();
  return { store, notices, close: () => closeAll(notices, store) };
}

async function closeAll(...parts: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.allSettled(parts.map((part) => part.close()));
}
