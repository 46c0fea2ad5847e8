import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { MIGRATIONS, readMigrations } from './database-migrations.ts';

const SCHEMA = join(MIGRATIONS, '..', 'schema.prisma');
const LOCK_FILE = 'provider = "postgresql"\n';

/** Prisma's schema engine as WebAssembly: the native one is a download. Its shadow database is PGlite in memory. */
async function openEngine() {
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm');
  const wasm = await readFile(join(dirname(entry), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, {
    './schema_engine_bg.js': engineModule as never,
  });
  engineModule.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  const fresh = async () => new PrismaPGlite(await PGlite.create()).connect();
  const factory = {
    provider: 'postgres',
    adapterName: 'pglite',
    connect: fresh,
    connectToShadowDb: fresh,
  } as SqlMigrationAwareDriverAdapterFactory;
  return engineModule.SchemaEngine.new(
    { datamodels: undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}

/** The SQL that leads from the migrations to `schema.prisma`; empty when they agree. */
export async function missingMigration(): Promise<string> {
  await mkdir(MIGRATIONS, { recursive: true });
  const [engine, migrations, schema] = await Promise.all([
    openEngine(),
    readMigrations(),
    readFile(SCHEMA, 'utf8'),
  ]);
  // Not `createMigration`: in this build of the engine it never asks the factory for a shadow database.
  const { stdout } = await engine.diff({
    from: {
      tag: 'migrations',
      baseDir: MIGRATIONS,
      lockfile: { path: 'migration_lock.toml', content: LOCK_FILE },
      migrationDirectories: migrations.map(({ name, script }) => ({
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: script } },
      })),
      shadowDbInitScript: '',
    },
    to: { tag: 'schemaDatamodel', files: [{ path: SCHEMA, content: schema }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  const sql = stdout?.trim() ?? '';
  return /^-- This is an empty migration\.?$/.test(sql) ? '' : sql;
}

/** Writes a migration's file and returns its path. `at` names it in the order of time. */
export async function writeMigration(name: string, sql: string, at: Date): Promise<string> {
  const stamp = at.toISOString().replace(/\D/g, '').slice(0, 14);
  const directory = join(MIGRATIONS, `${stamp}_${name}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'migration.sql'), `${sql}\n`);
  await writeFile(join(MIGRATIONS, 'migration_lock.toml'), LOCK_FILE);
  return join(directory, 'migration.sql');
}
