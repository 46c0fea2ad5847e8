import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { url as inspectorUrl } from 'node:inspector';
import { dirname, join } from 'node:path';
import { readServerDatabaseFacts } from '#server/database-server.ts';
import type { Env } from '#server/env.ts';
import type { ProductionFacts } from './production-checks.ts';

/**
 * Gathers what the checks before a production start want to know. `environment` and `args` come from `main.ts`;
 * `maxmemoryPolicy` asks Redis where one is used. Throws what the database throws when it cannot be reached.
 */
export async function productionFacts(
  env: Env,
  given: {
    readonly args: readonly string[];
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly archiveDir: string;
    readonly maxmemoryPolicy?: () => Promise<string>;
  },
): Promise<ProductionFacts> {
  const [disk, database, maxmemoryPolicy] = await Promise.all([
    diskFacts(given.archiveDir),
    env.DATABASE_URL ? readServerDatabaseFacts(env.DATABASE_URL) : undefined,
    given.maxmemoryPolicy?.(),
  ]);
  const options = `${given.environment.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`;
  return {
    args: given.args,
    environment: given.environment,
    isRoot: process.getuid?.() === 0,
    hasDotEnv: existsSync('.env'),
    hasInspector: inspectorUrl() !== undefined || /--inspect/.test(options),
    isBehindProxy: isBehindProxy(env),
    disk,
    ...(database ? { database } : {}),
    ...(maxmemoryPolicy === undefined ? {} : { redis: { maxmemoryPolicy } }),
  };
}

/** Browsers speak https and this process does not: somebody in between ends the TLS. */
const isBehindProxy = (env: Env): boolean => env.publicUrl.startsWith('https:');

async function diskFacts(archiveDir: string): Promise<ProductionFacts['disk']> {
  const there = existing(archiveDir);
  const [space, folder] = await Promise.all([statfs(there), stat(there)]);
  return {
    freeBytes: space.bavail * space.bsize,
    totalBytes: space.blocks * space.bsize,
    archiveMode: there === archiveDir ? folder.mode & 0o777 : null,
    fileSystem: process.platform === 'linux' ? space.type : null,
  };
}

/** The folder, or the nearest one above it that is there. */
function existing(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existing(join(path, '..'));
}
