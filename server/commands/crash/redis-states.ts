import type { ReadArchive } from '#server/proof/archive-reader.ts';
import { compareStates } from '#server/proof/stored-states.ts';
import { openRedisStore } from '#server/state/redis-store.ts';

/** As `compareStates`, of a Redis. The owner must stand still meanwhile; its own fence is claimed, so nothing changes for it. */
export async function compareRedis(url: string, archive: ReadArchive) {
  const store = openRedisStore({ url });
  try {
    await store.claim({ archive: archive.id, fence: archive.fence, end: Number.MAX_SAFE_INTEGER });
    return await compareStates(store, archive);
  } finally {
    await store.close();
  }
}
