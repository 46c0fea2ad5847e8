import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { ArchiveCorruptError, EXIT_CORRUPT } from './archive/corrupt.ts';
import { productionRefusals } from './auth/production-checks.ts';
import { productionFacts } from './auth/production-facts.ts';
import { type Env, readEnv, SettingsError } from './env.ts';
import { AppError } from './errors.ts';
import { lowerHelperThreads } from './helper-threads.ts';

/** Exit codes: 78 wrong settings · 5 the archive is damaged · 74 the disk failed · 70 anything else. */
export const EXIT = { settings: 78, disk: 74, other: 70 } as const;

/** By then the first pages are compiled too. */
const COMPILED_MS = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings, or a sentence for each wrong one and the end of the process. */
export function readSettings(environment: Environment, args: readonly string[]): Env {
  try {
    return readEnv(environment, args);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return endWith(error.sentences);
  }
}

/** The demo school has people without passwords: it is for this machine alone. */
export function requireLoopback({ HOST }: Env): void {
  if (['127.0.0.1', '::1', 'localhost'].includes(HOST)) return;
  endWith(['HOST is wrong: the demo school listens on loopback only, take 127.0.0.1.']);
}

/** Production refuses to start with what would be unsafe (access.md §8), and says all of it at once. */
export async function refuseUnsafe(
  env: Env,
  environment: Environment,
  args: readonly string[],
): Promise<void> {
  const facts = await productionFacts(env, { args, environment, archiveDir: join(env.varDir, 'archive') });
  const refusals = productionRefusals(env, facts);
  if (refusals.length > 0) endWith(refusals);
}

function endWith(sentences: readonly string[]): never {
  for (const sentence of sentences) console.error(sentence);
  process.exit(EXIT.settings);
}

/** Says in a sentence why the server cannot start, and ends the process with the code for it. */
export function failStartOf({ METRICS_PORT }: Env): (error: unknown) => never {
  return (error) => {
    if (error instanceof ArchiveCorruptError) {
      console.error(error.message);
      process.exit(EXIT_CORRUPT);
    }
    if (error instanceof AppError) console.error(`${error.message}.`);
    else console.error(systemSentence(error, METRICS_PORT) ?? error);
    process.exit(EXIT.other);
  };
}

function systemSentence(error: unknown, metricsPort: number | undefined): string | undefined {
  const { code, port } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === 'ENOSPC')
    return 'The disk is full: make room where VAR_DIR lies. Nothing that was acknowledged is lost.';
  if (code !== 'EADDRINUSE') return undefined;
  const name = port === metricsPort ? 'METRICS_PORT' : 'PORT';
  return `${name} ${port} is in use: stop the other program or choose another ${name}.`;
}

/** Once the first page can be asked for; until then every thread helps the start. */
export function whenServing(): void {
  lowerHelperThreads();
  keepCompiled();
}

/**
 * Saves what Node compiled for the next start, which `NODE_COMPILE_CACHE` asks for: Node by itself does so at an orderly
 * end alone, and a closed terminal is none.
 */
function keepCompiled(): void {
  setTimeout(flushCompileCache, COMPILED_MS).unref();
}
