import { join } from 'node:path';
import type { PrismaClient } from './generated/prisma/client.ts';

export type Database = {
  readonly prisma: PrismaClient;
  /** Migrations that this start applied. */
  readonly applied: readonly string[];
  close(): Promise<void>;
};

/**
 * The database of people and rights: the server that `url` names, else an embedded one under `varDir`.
 * Only the branch that is taken is loaded: the embedded engine costs 100 ms of start that a server's user need not pay.
 */
export async function openDatabase(settings: {
  readonly url?: string;
  readonly varDir: string;
  /** Demo mode and development apply pending migrations to a server too; production only checks. */
  readonly isDemo?: boolean;
}): Promise<Database> {
  if (settings.url === undefined) {
    const { openEmbeddedDatabase } = await import('./database-embedded.ts');
    return openEmbeddedDatabase(join(settings.varDir, 'database'));
  }
  const { openServerDatabase, migrateServerDatabase } = await import('./database-server.ts');
  if (!settings.isDemo) return openServerDatabase(settings.url);
  const applied = await migrateServerDatabase(settings.url);
  return { ...(await openServerDatabase(settings.url)), applied };
}
