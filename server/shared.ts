import { join } from 'node:path';
import type { Archive } from './archive/archive.ts';
import { type FileArchiveOptions, openFileArchive } from './archive/file-archive.ts';
import type { Env } from './env.ts';
import type { Log } from './log.ts';
import type { Notices } from './notices/notices.ts';
import type { StateStore } from './state/state-store.ts';

export type Shared = { readonly store: StateStore; readonly notices: Notices; close(): Promise<void> };

type FromMain = Pick<FileArchiveOptions, 'software' | 'clock' | 'measures' | 'onFatal'>;

/** The archive under `VAR_DIR`, which tells the log what it found and could not do. Throws as `openFileArchive`. */
export function openArchive(env: Env, log: Log, given: FromMain): Promise<Archive> {
  return openFileArchive({
    ...given,
    directory: join(env.varDir, 'archive'),
    limits: { minFreeBytes: env.MIN_FREE_BYTES, minFreeShare: env.isDemo ? 0 : 0.1 },
    onUnsealed: (count) => log.error({ count }, 'segments cannot be sealed'),
    onMended: (file) => log.warn({ file }, 'a damaged file of the archive was made anew from its entries'),
    onTorn: (file, bytes) => log.warn({ file, bytes }, 'the torn end of a segment was left out'),
  });
}

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
