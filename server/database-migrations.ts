import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from './errors.ts';

/** What the runner needs of a connection. */
export type Sql = {
  /** Several statements in one implicit transaction. */
  exec(sql: string): Promise<unknown>;
  query<Row>(sql: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>;
};

export type Migration = { readonly name: string; readonly script: string; readonly checksum: string };

/** Where the migrations of this tree are. */
export const MIGRATIONS = join(import.meta.dirname, '..', 'prisma', 'migrations');

/** The migrations of a folder in the order in which they apply. */
export async function readMigrations(directory = MIGRATIONS): Promise<readonly Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const script = await readFile(join(directory, name, 'migration.sql'), 'utf8');
      return { name, script, checksum: createHash('sha256').update(script).digest('hex') };
    }),
  );
}

type Applied = {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
};

/** The bookkeeping table of Prisma's own tool, so that `prisma migrate status` agrees with this runner. */
const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL, "logs" TEXT, "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`;

const UNDEFINED_TABLE = '42P01';

async function readApplied(sql: Sql): Promise<readonly Applied[]> {
  try {
    const { rows } = await sql.query<Applied>(
      'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
    );
    return rows;
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

/** Migrations that the database lacks. Throws `conflict` when one was edited after it had been applied, or failed half way. */
export async function pendingMigrations(
  sql: Sql,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const applied = new Map((await readApplied(sql)).map((row) => [row.migration_name, row]));
  return migrations.filter(({ name, checksum }) => {
    const row = applied.get(name);
    if (row === undefined) return true;
    if (!row.finished_at)
      throw new AppError('conflict', `migration ${name} failed earlier: see \`prisma migrate resolve\``);
    if (row.checksum !== checksum)
      throw new AppError('conflict', `migration ${name} was edited after it had been applied`);
    return false;
  });
}

/** Applies what is pending, in order, and returns the names. The caller holds the lock of the database. */
export async function applyMigrations(
  sql: Sql,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const pending = await pendingMigrations(sql, migrations);
  if (pending.length > 0) await sql.exec(BOOKKEEPING);
  for (const migration of pending) await applyOne(sql, migration);
  return pending.map(({ name }) => name);
}

async function applyOne(sql: Sql, { name, checksum, script }: Migration): Promise<void> {
  const id = randomUUID();
  await sql.query('INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  await sql.exec(script);
  await sql.query(
    'UPDATE "_prisma_migrations" SET finished_at = now(), applied_steps_count = 1 WHERE id = $1',
    [id],
  );
}
