import { describe, expect, it } from 'vitest';
import type { Env } from '#server/env.ts';
import { type ProductionFacts, productionRefusals } from './production-checks.ts';

const GOOD_ENV: Record<string, string> = {
  NODE_ENV: 'production',
  NEXTAUTH_URL: 'https://observer.school.test',
  NEXTAUTH_SECRET: 'Zq1xw7Vb9kTn3mPd5sRf8hLc2gYj6aQe',
  INGEST_SIGNING_KEY: '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJx\n-----END PRIVATE KEY-----',
  GOOGLE_CLIENT_ID: 'id',
  GOOGLE_CLIENT_SECRET: 'GOCSPX-n0t-a-real-one',
  DATABASE_URL: 'postgresql://app@db.school.test/observer',
  REDIS_URL: 'rediss://:a-password@redis.school.test',
  TRUSTED_PROXIES: '10.0.0.4',
  INGEST_ORIGINS: `chrome-extension://${'abcdefghijklmnop'.repeat(2)},https://pad.school.test`,
};
const GOOD_FACTS: ProductionFacts = {
  args: [],
  environment: {},
  isRoot: false,
  hasDotEnv: false,
  hasInspector: false,
  isBehindProxy: true,
  disk: { freeBytes: 50e9, totalBytes: 100e9, archiveMode: 0o700, fileSystem: 0xef53 },
  database: {
    isSuperuser: false,
    bypassesRowSecurity: false,
    ownsTables: false,
    pendingMigrations: 0,
    hasEditedMigrations: false,
  },
  redis: { maxmemoryPolicy: 'noeviction' },
};
const database = GOOD_FACTS.database as NonNullable<ProductionFacts['database']>;

const list = (text = '') => text.split(',').filter(Boolean);

/** Settings as `env.ts` gives them; an empty text is an absent setting. */
function envOf(given: Readonly<Record<string, string>>): Env {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const defaults = { PORT: 3000, HOST: '127.0.0.1', VAR_DIR: 'var', LOG_LEVEL: 'info', MIN_FREE_BYTES: 1 };
  const env = {
    ...defaults,
    ...set,
    ...{ DEMO_PUPILS: 30, HOT_STATES_MB: 1, isDemo: false, isDev: false, varDir: '/var/lib/observer' },
    INGEST_ORIGINS: list(given.INGEST_ORIGINS),
    TRUSTED_PROXIES: list(given.TRUSTED_PROXIES),
    publicUrl: given.NEXTAUTH_URL || 'http://localhost:3000',
  };
  return env as Env;
}

type Bad = { readonly env?: Record<string, string>; readonly facts?: Partial<ProductionFacts> };
const refusals = ({ env, facts }: Bad) =>
  productionRefusals(envOf({ ...GOOD_ENV, ...env }), { ...GOOD_FACTS, ...facts });
const disk = (change: Partial<ProductionFacts['disk']>): Bad => ({
  facts: { disk: { ...GOOD_FACTS.disk, ...change } },
});
const role = (change: Partial<typeof database>): Bad => ({
  facts: { database: { ...database, ...change } },
});

/** What is wrong, and how the one sentence about it begins. */
const BAD: readonly (readonly [string, Bad, string])[] = [
  ['1 demo people', { facts: { environment: { DEMO_PUPILS: '3' } } }, 'DEMO_PUPILS is set'],
  ['1 seed switch', { facts: { args: ['--seed'] } }, '--seed is given'],
  ['2 issuer', { facts: { environment: { GOOGLE_ISSUER: 'http://localhost:1' } } }, 'GOOGLE_ISSUER is not'],
  ['4 mode', { env: { NODE_ENV: 'development' } }, 'NODE_ENV is not production'],
  ['5 no secret', { env: { NEXTAUTH_SECRET: '' } }, 'NEXTAUTH_SECRET is missing'],
  ['5 no key', { env: { INGEST_SIGNING_KEY: '' } }, 'INGEST_SIGNING_KEY is missing'],
  ['5 no client secret', { env: { GOOGLE_CLIENT_SECRET: '' } }, 'GOOGLE_CLIENT_SECRET is missing'],
  ['5 short', { env: { INGEST_SIGNING_KEY: 'short' } }, 'INGEST_SIGNING_KEY is shorter'],
  [
    '5 sample',
    { env: { NEXTAUTH_SECRET: '0123456789ABCDEF0123456789abcdef' } },
    'NEXTAUTH_SECRET is a known',
  ],
  ['5 one letter', { env: { NEXTAUTH_SECRET: 'x'.repeat(40) } }, 'NEXTAUTH_SECRET is a known'],
  ['6 reuse', { env: { INGEST_SIGNING_KEY: GOOD_ENV.NEXTAUTH_SECRET ?? '' } }, 'NEXTAUTH_SECRET and INGEST'],
  ['7 no address', { env: { NEXTAUTH_URL: '' } }, 'NEXTAUTH_URL is missing'],
  ['7 http', { env: { NEXTAUTH_URL: 'http://observer.school.test' } }, 'NEXTAUTH_URL is not https'],
  ['7 path', { env: { NEXTAUTH_URL: 'https://school.test/observer' } }, 'NEXTAUTH_URL has a path'],
  ['7 wildcard', { env: { NEXTAUTH_URL: 'https://*.school.test' } }, 'NEXTAUTH_URL has a path'],
  ['8 any origin', { env: { INGEST_ORIGINS: '*' } }, 'INGEST_ORIGINS has *'],
  ['8 null origin', { env: { INGEST_ORIGINS: 'null' } }, 'INGEST_ORIGINS has null'],
  ['8 plain http', { env: { INGEST_ORIGINS: 'http://pad.school.test' } }, 'INGEST_ORIGINS has http:'],
  ['8 wildcard', { env: { INGEST_ORIGINS: 'https://*.school.test' } }, 'INGEST_ORIGINS has https:'],
  ['9 extension', { env: { INGEST_ORIGINS: 'chrome-extension://xyz' } }, 'INGEST_ORIGINS has chrome'],
  ['10 no proxy', { env: { TRUSTED_PROXIES: '' } }, 'TRUSTED_PROXIES is missing'],
  ['10 every proxy', { env: { TRUSTED_PROXIES: '10.0.0.4,0.0.0.0/0' } }, 'TRUSTED_PROXIES trusts every'],
  ['11 embedded', { env: { DATABASE_URL: '' } }, 'DATABASE_URL is missing'],
  ['12 superuser', role({ isSuperuser: true }), 'DATABASE_URL names a role'],
  ['12 bypass', role({ bypassesRowSecurity: true }), 'DATABASE_URL names a role'],
  ['12 owner', role({ ownsTables: true }), 'DATABASE_URL names a role'],
  ['13 pending', role({ pendingMigrations: 2 }), 'DATABASE_URL lacks 2 migration(s)'],
  ['13 edited', role({ hasEditedMigrations: true }), 'prisma/migrations was edited'],
  ['14 password', { env: { REDIS_URL: 'rediss://redis.school.test' } }, 'REDIS_URL has no password'],
  ['14 TLS', { env: { REDIS_URL: 'redis://:p@redis.school.test' } }, 'REDIS_URL leaves this machine'],
  ['15 eviction', { facts: { redis: { maxmemoryPolicy: 'allkeys-lru' } } }, 'REDIS_URL names a server that'],
  ['20 readable', disk({ archiveMode: 0o750 }), 'VAR_DIR holds an archive'],
  ['20 tmpfs', disk({ fileSystem: 0x01021994 }), 'VAR_DIR is on a memory'],
  ['21 a tenth', disk({ freeBytes: 9e9 }), 'VAR_DIR has less'],
  ['21 a GiB', disk({ freeBytes: 1e9, totalBytes: 5e9 }), 'VAR_DIR has less'],
  ['24 inspector', { facts: { hasInspector: true } }, 'NODE_OPTIONS or an argument'],
  ['24 debug level', { env: { LOG_LEVEL: 'debug' } }, 'LOG_LEVEL is debug'],
  ['24 debug', { facts: { environment: { DEBUG: '*' } } }, 'DEBUG is set'],
  ['26 .env', { facts: { hasDotEnv: true } }, '.env is there'],
  ['26 root', { facts: { isRoot: true } }, 'This runs as root'],
];

describe('production', () => {
  it('starts when all is well', () => {
    expect(refusals({})).toEqual([]);
  });

  it.each(BAD)('refuses %s, and nothing else, in one sentence that says what to do', (_name, bad, start) => {
    const found = refusals(bad);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(start), found[0]).toBe(true);
    expect(found[0]).toMatch(/: [^:]+.*\.$/);
  });

  it('starts with what was accepted in so many words', () => {
    expect(refusals({ env: { DATABASE_URL: '', EMBEDDED_DATABASE: 'accepted' } })).toEqual([]);
    expect(refusals({ env: { ALLOW_ROOT: '1' }, facts: { isRoot: true } })).toEqual([]);
    expect(refusals({ env: { REDIS_URL: 'redis://:p@127.0.0.1' } })).toEqual([]);
    expect(refusals({ env: { INGEST_ORIGINS: '' } })).toEqual([]);
    expect(refusals({ env: { GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: '' } })).toEqual([]);
  });

  it('says everything that is wrong at once, and no secret', () => {
    const found = refusals({
      env: {
        NODE_ENV: 'test',
        NEXTAUTH_URL: 'http://observer.school.test',
        NEXTAUTH_SECRET: 'x'.repeat(40),
        INGEST_SIGNING_KEY: 'x'.repeat(40),
        INGEST_ORIGINS: '*,chrome-extension://xyz',
        TRUSTED_PROXIES: '*',
        DATABASE_URL: '',
        REDIS_URL: 'redis://redis.school.test',
        LOG_LEVEL: 'debug',
      },
      facts: {
        environment: { SEED: '1', GOOGLE_ISSUER: 'http://x', DEBUG: '1' },
        isRoot: true,
        hasDotEnv: true,
        hasInspector: true,
        disk: { freeBytes: 0, totalBytes: 1, archiveMode: 0o777, fileSystem: 0x6969 },
        database: { ...database, isSuperuser: true, pendingMigrations: 1 },
        redis: { maxmemoryPolicy: 'volatile-ttl' },
      },
    });
    expect(found).toHaveLength(24);
    expect(found.join('\n')).not.toContain('xxxx');
  });
});
