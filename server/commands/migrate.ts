/** `npm run migrate`: applies what is pending. `-- check`: do schema and migrations agree? `-- new <name>`: writes the next one. */
import { readEnv } from '#server/env.ts';

async function apply(): Promise<void> {
  const env = readEnv(process.env, process.argv);
  if (env.DATABASE_URL) {
    const { migrateServerDatabase } = await import('#server/database-server.ts');
    return report(await migrateServerDatabase(env.DATABASE_URL));
  }
  const { openDatabase } = await import('#server/database.ts');
  const database = await openDatabase({ varDir: env.varDir });
  await database.close();
  report(database.applied);
}

function report(applied: readonly string[]): void {
  console.log(
    applied.length === 0 ? 'nothing to apply' : applied.map((name) => `applied ${name}`).join('\n'),
  );
}

async function check(): Promise<void> {
  const { missingMigration } = await import('#server/database-authoring.ts');
  const sql = await missingMigration();
  if (sql === '') return console.log('schema.prisma and prisma/migrations agree');
  console.error(`schema.prisma is ahead of prisma/migrations:\n${sql}`);
  process.exitCode = 1;
}

async function author(name: string | undefined): Promise<void> {
  if (!name || !/^[a-z0-9_]+$/.test(name))
    throw new Error('name the migration: lower case, digits and _ only');
  const { missingMigration, writeMigration } = await import('#server/database-authoring.ts');
  const sql = await missingMigration();
  console.log(
    sql === ''
      ? 'schema.prisma and prisma/migrations agree'
      : `wrote ${await writeMigration(name, sql, new Date())}`,
  );
}

const [command, name] = process.argv.slice(2);
if (command === 'check') await check();
else if (command === 'new') await author(name);
else await apply();
// The engine of `check` and `new` keeps its shadow databases open.
process.exit();
