import type { Client } from 'pg';
import type { Database } from './database.ts';
import { applyMigrations, pendingMigrations, readMigrations, type Sql } from './database-migrations.ts';
import { AppError } from './errors.ts';
import { PrismaClient } from './generated/prisma/client.ts';

/** The advisory lock that Prisma's own tool takes while it migrates. */
const MIGRATION_LOCK = 72_707_369;

/** A PostgreSQL server. Throws `unavailable` while migrations are pending: they are applied by `npm run migrate`, as the owner. */
export async function openServerDatabase(connectionString: string): Promise<Database> {
  const [{ PrismaPg }, pending] = await Promise.all([
    import('@prisma/adapter-pg'),
    withClient(connectionString, async (sql) => pendingMigrations(sql, await readMigrations())),
  ]);
  if (pending.length > 0)
    throw new AppError(
      'unavailable',
      `the database lacks ${pending.length} migration(s): run \`npm run migrate\` as the owner of its tables`,
    );
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }) });
  return { prisma, applied: [], close: () => prisma.$disconnect() };
}

/** Applies pending migrations to a server, alone among all who try; returns their names. */
export function migrateServerDatabase(connectionString: string): Promise<readonly string[]> {
  return withClient(connectionString, async (sql) => {
    await sql.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    return applyMigrations(sql, await readMigrations());
  });
}

/** What production's start checks about the server's role and migrations (access.md §8, 12 and 13). */
export type ServerDatabaseFacts = {
  readonly isSuperuser: boolean;
  readonly bypassesRowSecurity: boolean;
  readonly ownsTables: boolean;
  readonly pendingMigrations: number;
  readonly hasEditedMigrations: boolean;
};

/** Reads the facts with one short connection. */
export function readServerDatabaseFacts(connectionString: string): Promise<ServerDatabaseFacts> {
  return withClient(connectionString, async (sql) => {
    const { rows } = await sql.query<{ super: boolean; bypass: boolean; owns: boolean }>(
      `SELECT rolsuper AS super, rolbypassrls AS bypass, EXISTS (
         SELECT 1 FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
         WHERE relkind = 'r' AND nspname = current_schema() AND relowner = r.oid) AS owns
       FROM pg_roles r WHERE rolname = current_user`,
    );
    const pending = await pendingMigrations(sql, await readMigrations()).catch((error) => {
      if (error instanceof AppError && error.code === 'conflict') return null;
      throw error;
    });
    return {
      isSuperuser: rows[0]?.super === true,
      bypassesRowSecurity: rows[0]?.bypass === true,
      ownsTables: rows[0]?.owns === true,
      pendingMigrations: pending?.length ?? 0,
      hasEditedMigrations: pending === null,
    };
  });
}

async function withClient<T>(connectionString: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(sqlOf(client));
  } finally {
    await client.end(); // gives the advisory lock back too
  }
}

function sqlOf(client: Client): Sql {
  return {
    exec: (sql) => client.query(sql),
    query: (sql, values) => client.query(sql, values as unknown[]) as never,
  };
}
