import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { Migration } from './database-migrations.ts';

const CACHE = join(import.meta.dirname, '..', 'node_modules', '.cache', 'learning-observer');

/**
 * A migrated, empty database as a file, so that each test file's own costs a tenth of making one. Kept beside the
 * installed packages; another engine or another migration is another file.
 */
export function databaseTemplate(migrations: readonly Migration[]) {
  const name = createHash('sha256');
  for (const { checksum } of migrations) name.update(checksum);
  const path = import.meta.resolve('@electric-sql/pglite').replaceAll(/[^\w]/g, '').slice(-40);
  const file = join(CACHE, `database-${path}-${name.digest('hex').slice(0, 16)}.tar`);
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
