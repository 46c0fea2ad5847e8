import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileArchive } from '#server/archive/file-archive.ts';
import { loadModules } from '#server/modules.ts';
import { SILENT } from '#server/proof/stored-states.ts';
import { openFileStore } from '#server/state/file-store.ts';
import { compareStored } from '#server/stream/shadow.ts';
import { inNewFolder } from './round.ts';

/**
 * R4: states that the server's own fold of the archive does not give, texts included; `modules`: the folder of the modules,
 * default: the product's. Works on a copy, since opening an archive mends what a crash left.
 */
export function foldedAgain(varDir: string, modules?: string): Promise<readonly string[]> {
  return inNewFolder(async (folder) => {
    await cp(join(varDir, 'archive'), join(folder, 'archive'), { recursive: true });
    await cp(join(varDir, 'states'), join(folder, 'states'), { recursive: true });
    const { reducers } = await loadModules(modules);
    const archive = await openFileArchive({
      directory: join(folder, 'archive'),
      software: 'proof',
      clock: Date.now,
      onFatal: () => {},
      limits: { minFreeBytes: 0 },
    });
    const store = await openFileStore({ folder: join(folder, 'states'), log: SILENT });
    try {
      const { compared, differing } = await compareStored({ archive, store, reducers });
      return compared > 0
        ? differing.map((key) => `${key}: folded again it differs`)
        : ['no state was compared'];
    } finally {
      await store.close();
      await archive.close();
    }
  });
}
