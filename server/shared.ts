import { join } from 'node:path';
import type { Archive } from './archive/archive.ts';
import type { Env } from './env.ts';
import type { Log } from './log.ts';
import type { Notices } from './notices/notices.ts';
import type { StateStore } from './state/state-store.ts';

export type Shared = { readonly store: StateStore; readonly notices: Notices; close(): Promise<void> };

/** Where states and notices live: a Redis when one is named, else files and this process. Only the branch that is taken is loaded. */
export async function openShared({
  env,
  archive,
  log,
}: {
  readonly env: Env;
  readonly archive: Archive;
  readonly log: Log;
}): Promise<Shared> {
  const { store, notices } = env.REDIS_URL
    ? await openRedis(env.REDIS_URL, archive)
    : await openAlone(env, log);
  return {
    store,
    notices,
    async close() {
      await Promise.allSettled([notices.close(), store.close()]);
    },
  };
}

async function openRedis(url: string, archive: Archive) {
  const [{ openRedisStore }, { openRedisNotices }] = await Promise.all([
    import('./state/redis-store.ts'),
    import('./notices/redis-notices.ts'),
  ]);
  return { store: openRedisStore({ url }), notices: openRedisNotices({ url, prefix: `${archive.id}.` }) };
}

async function openAlone(env: Env, log: Log) {
  const [{ openFileStore }, { openMemoryNotices }] = await Promise.all([
    import('./state/file-store.ts'),
    import('./notices/memory-notices.ts'),
  ]);
  return {
    store: await openFileStore({ folder: join(env.varDir, 'states'), log }),
    notices: openMemoryNotices(),
  };
}
