import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65535);
const positive = z.coerce.number().positive();
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

const schema = z.object({
  /** Where the pages, the sockets and the API listen. */
  PORT: port.default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Where everything that runs keeps its data. */
  VAR_DIR: z.string().min(1).default('var'),
  /** `postgresql://…`, or absent: the embedded database under `VAR_DIR`. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional(),
  /** `redis://…` or `rediss://…`, or absent: states in files under `VAR_DIR`. */
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .optional(),
  /** The address that browsers use; default http://localhost:PORT in demo mode. */
  NEXTAUTH_URL: z.url().optional(),
  NEXTAUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  GOOGLE_CLIENT_ID: z.string().optional(),
  GOOGLE_CLIENT_SECRET: z.string().optional(),
  /** PKCS8 PEM of an Ed25519 key; demo mode makes one. */
  INGEST_SIGNING_KEY: z.string().optional(),
  /** Further origins that may open ingest sockets: `chrome-extension://<id>` or `https://…`, comma separated. */
  INGEST_ORIGINS: list.default([]),
  /** Proxies whose `X-Forwarded-For` counts, comma separated addresses. */
  TRUSTED_PROXIES: list.default([]),
  /** Demo mode: how many invented pupils write by themselves. */
  DEMO_PUPILS: z.coerce.number().int().min(0).max(30).default(30),
  /** Bytes that must stay free on the archive's disk. */
  MIN_FREE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(1024 ** 3),
  /** Memory for hot states, MiB. */
  HOT_STATES_MB: positive.default(512),
  /** Internal port for `/metrics`; absent: no metrics. */
  METRICS_PORT: port.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug']).default('info'),
  EMBEDDED_DATABASE: z.literal('accepted').optional(),
  ALLOW_ROOT: z.string().optional(),
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
});

export type Env = z.output<typeof schema> & {
  readonly isDemo: boolean;
  readonly isDev: boolean;
  readonly varDir: string;
  readonly publicUrl: string;
};

const FROM_FILE = ['NEXTAUTH_SECRET', 'GOOGLE_CLIENT_SECRET', 'INGEST_SIGNING_KEY'] as const;

/** Every wrong setting as one sentence; empty when all is well. */
export class SettingsError extends Error {
  readonly sentences: readonly string[];
  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'));
    this.name = 'SettingsError';
    this.sentences = sentences;
  }
}

/**
 * Parses the settings once; throws `SettingsError` with a sentence for each wrong value. `<NAME>_FILE` names a file for a secret.
 * `args`: `--demo` opens the demo school on loopback, `--dev` serves pages through the bundler.
 */
export function readEnv(from: Readonly<Record<string, string | undefined>>, args: readonly string[]): Env {
  const isDemo = args.includes('--demo');
  const isDev = args.includes('--dev');
  const given: Record<string, string | undefined> = {};
  for (const name of Object.keys(schema.shape)) if (from[name] !== '') given[name] = from[name];
  const sentences: string[] = [];
  for (const name of FROM_FILE) {
    const path = from[`${name}_FILE`];
    if (!path) continue;
    try {
      given[name] = readFileSync(path, 'utf8').trim();
    } catch {
      sentences.push(`${name}_FILE cannot be read: name a file that holds the secret.`);
    }
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      sentences.push(`${issue.path.join('.')} is wrong: ${issue.message}.`);
    throw new SettingsError(sentences);
  }
  if (sentences.length > 0) throw new SettingsError(sentences);
  const env = parsed.data;
  return {
    ...env,
    isDemo,
    isDev,
    varDir: resolve(env.VAR_DIR),
    publicUrl: env.NEXTAUTH_URL ?? `http://localhost:${env.PORT}`,
  };
}
