import { mkdir } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';
import type { Database } from './database.ts';
import { applyMigrations, readMigrations, type Sql } from './database-migrations.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { lockDirectory } from './lock.ts';

/**
 * PostgreSQL inside this process, for one machine. Applies the migrations. Throws what `lockDirectory` throws while
 * another process has the directory: two processes on one lose each other's writes.
 */
export async function openEmbeddedDatabase(directory: string): Promise<Database> {
  // The files of PGlite are readable by everyone; the folder around them is not.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const release = await lockDirectory(directory);
  try {
    const [engine, migrations] = await Promise.all([openEngine({ dataDir: directory }), readMigrations()]);
    return await withPrisma(engine, await applyMigrations(sqlOf(engine), migrations), release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** The same in memory, for tests: from a migrated template where there is one. */
export async function openMemoryDatabase(): Promise<Database> {
  const migrations = await readMigrations();
  const { databaseTemplate } = await import('./database-template.ts');
  const template = await databaseTemplate(migrations);
  const loadDataDir = await template.read();
  const engine = await openEngine(loadDataDir ? { loadDataDir } : {});
  const applied = await applyMigrations(sqlOf(engine), migrations);
  if (!loadDataDir) await template.write(engine);
  return withPrisma(engine, applied, async () => {});
}

async function openEngine(from: { dataDir?: string; loadDataDir?: Blob }): Promise<PGlite> {
  const { PGlite: Engine } = await import('@electric-sql/pglite');
  const startParams = [...Engine.defaultStartParams, '-c', 'shared_buffers=16MB'];
  return Engine.create({ ...from, startParams });
}

const sqlOf = (engine: PGlite): Sql => ({
  exec: (sql) => engine.exec(sql),
  query: (sql, values) => engine.query(sql, values as unknown[]) as never,
});

async function withPrisma(
  engine: PGlite,
  applied: readonly string[],
  release: () => Promise<void>,
): Promise<Database> {
  const { PrismaPGlite } = await import('pglite-prisma-adapter');
  const prisma = new PrismaClient({ adapter: new PrismaPGlite(engine) });
  return {
    prisma,
    applied,
    async close() {
      await prisma.$disconnect();
      if (!engine.closed) await engine.close();
      await release();
    },
  };
}
