import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { Migration } from './database-migrations.ts';

const PACKAGES = join(import.meta.dirname, '..', 'node_modules');
const CACHE = join(PACKAGES, '.cache', 'learning-observer');
/** Names the engine's version. */
const ENGINE = join(PACKAGES, '@electric-sql', 'pglite', 'package.json');

/**
 * A migrated, empty database as a file, so that each test file's own costs a tenth of making one. Kept beside the
 * installed packages; another engine or another migration is another file.
 */
export async function databaseTemplate(migrations: readonly Migration[]) {
  const name = createHash('sha256').update(await readFile(ENGINE));
  for (const { checksum } of migrations) name.update(checksum);
  const file = join(CACHE, `database-${name.digest('hex').slice(0, 16)}.tar`);
  return {
    async read(): Promise<Blob | undefined> {
      const bytes = await readFile(file).catch(() => undefined);
      return bytes && new Blob([bytes]);
    },
    async write(engine: PGlite): Promise<void> {
      await mkdir(CACHE, { recursive: true });
      const dump = await engine.dumpDataDir('none');
      const half = `${file}.${randomUUID()}`;
      await writeFile(half, Buffer.from(await dump.arrayBuffer()));
      await rename(half, file); // whole or not there, whoever else writes it
    },
  };
}
