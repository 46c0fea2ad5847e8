import { mkdir } from 'node:fs/promises';
import type { Database } from './database.ts';
import { applyMigrations, readMigrations } from './database-migrations.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { lockDirectory } from './lock.ts';

/**
 * PostgreSQL inside this process, for one machine. `directory` absent: in memory, for tests. Applies the migrations.
 * Throws what `lockDirectory` throws while another process has the directory: two processes on one lose each other's writes.
 */
export async function openEmbeddedDatabase(directory?: string): Promise<Database> {
  // The files of PGlite are readable by everyone; the folder around them is not.
  if (directory) await mkdir(directory, { recursive: true, mode: 0o700 });
  const release = directory ? await lockDirectory(directory) : undefined;
  try {
    const [{ PGlite }, { PrismaPGlite }, migrations] = await Promise.all([
      import('@electric-sql/pglite'),
      import('pglite-prisma-adapter'),
      readMigrations(),
    ]);
    const engine = await PGlite.create({
      ...(directory ? { dataDir: directory } : {}),
      startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
    });
    const applied = await applyMigrations(
      {
        exec: (sql) => engine.exec(sql),
        query: (sql, values) => engine.query(sql, values as unknown[]) as never,
      },
      migrations,
    );
    const prisma = new PrismaClient({ adapter: new PrismaPGlite(engine) });
    return {
      prisma,
      applied,
      async close() {
        await prisma.$disconnect();
        if (!engine.closed) await engine.close();
        await release?.();
      },
    };
  } catch (error) {
    await release?.();
    throw error;
  }
}
