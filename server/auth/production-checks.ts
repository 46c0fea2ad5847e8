import type { Env } from '#server/env.ts';

/** What the checks need to know and cannot read from the settings. `main.ts` and `production-facts.ts` gather it; undefined: not used here. */
export type ProductionFacts = {
  readonly args: readonly string[];
  /** The variables that are set, by name: for switches that must not be there at all. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly hasDotEnv: boolean;
  readonly hasInspector: boolean;
  readonly isBehindProxy: boolean;
  readonly disk: {
    readonly freeBytes: number;
    readonly totalBytes: number;
    /** Permission bits of the archive's folder; null while it is not there. */
    readonly archiveMode: number | null;
    /** Kind of the file system as Linux numbers it; null where that is not known. */
    readonly fileSystem: number | null;
  };
  readonly database?: {
    readonly isSuperuser: boolean;
    readonly bypassesRowSecurity: boolean;
    readonly ownsTables: boolean;
    readonly pendingMigrations: number;
    readonly hasEditedMigrations: boolean;
  };
  readonly redis?: { readonly maxmemoryPolicy: string };
};

type Check = (env: Env, facts: ProductionFacts) => string | false | undefined | readonly string[];

const GOOGLE = 'https://accounts.google.com';
const SAMPLES = new Set(
  [
    'changeme',
    'secret',
    'password',
    'please-change-me',
    'your-secret-here',
    '0123456789abcdef0123456789abcdef',
    'abcdefghijklmnopqrstuvwxyz012345',
    'supersecretsupersecretsupersecret',
    'changemechangemechangemechangeme',
  ].map((sample) => sample.toLowerCase()),
);
const SECRETS = ['NEXTAUTH_SECRET', 'GOOGLE_CLIENT_SECRET', 'INGEST_SIGNING_KEY'] as const;
const DEMO_SWITCHES = ['DEMO_SIGN_IN', 'DEMO_PEOPLE', 'DEMO_PUPILS', 'SEED', 'SIMULATE'];
/** tmpfs, ramfs, NFS, SMB, CIFS, SMB2, FUSE: they lose what they acknowledged, or lock badly. */
const UNSAFE_FILE_SYSTEMS = new Set([
  0x01021994, 0x858458f6, 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546,
]);
const GIB = 1024 ** 3;

const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
const isSample = (value: string) => SAMPLES.has(value.toLowerCase()) || /^(.)\1+$/.test(value);

const switches: Check = (_env, { args, environment }) => [
  ...DEMO_SWITCHES.filter((name) => environment[name]).map(
    (name) => `${name} is set: unset it, invented people and pupils belong to demo mode.`,
  ),
  ...args
    .filter((arg) => /^--(demo|seed|simulate)/.test(arg))
    .map((arg) => `${arg} is given: leave it away in production.`),
];

const issuer: Check = (_env, { environment: { GOOGLE_ISSUER } }) =>
  GOOGLE_ISSUER &&
  GOOGLE_ISSUER !== GOOGLE &&
  `GOOGLE_ISSUER is not Google's: unset it, another issuer is for tests.`;

const nodeEnv: Check = (env) =>
  env.NODE_ENV !== 'production' && 'NODE_ENV is not production: set NODE_ENV=production.';

const secrets: Check = (env) => [
  ...SECRETS.filter((name) => !env[name] && (name !== 'GOOGLE_CLIENT_SECRET' || env.GOOGLE_CLIENT_ID)).map(
    (name) => `${name} is missing: set it, or name its file in ${name}_FILE.`,
  ),
  ...SECRETS.filter((name) => (env[name]?.length ?? 32) < 32 && name !== 'GOOGLE_CLIENT_SECRET').map(
    (name) => `${name} is shorter than 32 bytes: make it from 32 random bytes.`,
  ),
  ...SECRETS.filter((name) => isSample(env[name] ?? '')).map(
    (name) => `${name} is a known sample: make a new one from 32 random bytes.`,
  ),
];

const reuse: Check = (env) =>
  SECRETS.flatMap((name, index) =>
    SECRETS.slice(index + 1)
      .filter((other) => env[name] && env[name] === env[other])
      .map((other) => `${name} and ${other} are the same value: give each its own.`),
  );

const publicUrl: Check = (env) => {
  const { protocol, pathname, search, hash, username, hostname } = new URL(env.publicUrl);
  if (!env.NEXTAUTH_URL) return 'NEXTAUTH_URL is missing: set the https address that browsers use.';
  if (protocol !== 'https:') return 'NEXTAUTH_URL is not https: set the https address that browsers use.';
  const isBare = pathname === '/' && !search && !hash && !username && !hostname.includes('*');
  return !isBare && 'NEXTAUTH_URL has a path or a wildcard: set scheme, host and port only.';
};

const EXTENSION = 'chrome-extension://';

const origins: Check = (env) =>
  env.INGEST_ORIGINS.filter((origin) => !origin.startsWith(EXTENSION) && !isHttpsOrigin(origin)).map(
    (origin) => `INGEST_ORIGINS has ${origin}: list https origins and extension ids only, each in full.`,
  );

function isHttpsOrigin(text: string): boolean {
  return (
    URL.canParse(text) &&
    new URL(text).protocol === 'https:' &&
    new URL(text).origin === text &&
    !text.includes('*')
  );
}

const extensions: Check = (env) =>
  env.INGEST_ORIGINS.filter((origin) => origin.startsWith(EXTENSION))
    .filter((origin) => !/^chrome-extension:\/\/[a-p]{32}$/.test(origin))
    .map((origin) => `INGEST_ORIGINS has ${origin}: an extension id is 32 letters from a to p.`);

const proxies: Check = (env, { isBehindProxy }) => {
  if (env.TRUSTED_PROXIES.some((address) => /^(\*|0\.0\.0\.0|::|all)$|\/0$/.test(address)))
    return 'TRUSTED_PROXIES trusts every address: name the addresses of your proxies.';
  return (
    isBehindProxy &&
    env.TRUSTED_PROXIES.length === 0 &&
    'TRUSTED_PROXIES is missing: name the addresses of the proxy in front.'
  );
};

const embedded: Check = (env) =>
  !env.DATABASE_URL &&
  env.EMBEDDED_DATABASE !== 'accepted' &&
  'DATABASE_URL is missing: name a PostgreSQL server, or set EMBEDDED_DATABASE=accepted and live with what a power cut loses.';

const role: Check = (_env, { database }) =>
  database &&
  (database.isSuperuser || database.bypassesRowSecurity || database.ownsTables) &&
  'DATABASE_URL names a role that is superuser, owns tables or bypasses row security: use the role of the application.';

const migrations: Check = (_env, { database }) => {
  if (database?.hasEditedMigrations)
    return 'prisma/migrations was edited after it had been applied: restore the files of the release.';
  const pending = database?.pendingMigrations ?? 0;
  return (
    pending > 0 &&
    `DATABASE_URL lacks ${pending} migration(s): run \`npm run migrate\` as the owner of the tables.`
  );
};

const redisDoor: Check = (env) => {
  if (!env.REDIS_URL) return false;
  const { protocol, hostname, password } = new URL(env.REDIS_URL);
  return [
    ...(password
      ? []
      : ['REDIS_URL has no password: set requirepass and put the password into the address.']),
    ...(protocol === 'rediss:' || isLoopback(hostname)
      ? []
      : ['REDIS_URL leaves this machine without TLS: use rediss://.']),
  ];
};

const redisPolicy: Check = (_env, { redis }) =>
  redis &&
  redis.maxmemoryPolicy !== 'noeviction' &&
  'REDIS_URL names a server that forgets: set its maxmemory-policy to noeviction.';

const archiveFolder: Check = (_env, { disk }) => [
  ...(disk.archiveMode !== null && (disk.archiveMode & 0o077) !== 0
    ? ['VAR_DIR holds an archive that others can read: chmod 700 it.']
    : []),
  ...(disk.fileSystem !== null && UNSAFE_FILE_SYSTEMS.has(disk.fileSystem)
    ? ['VAR_DIR is on a memory or network file system: put it on a local disk.']
    : []),
];

const space: Check = (_env, { disk }) =>
  (disk.freeBytes < GIB || disk.freeBytes * 10 < disk.totalBytes) &&
  'VAR_DIR has less than 10 % or 1 GiB free: make room.';

const exposure: Check = (env, { hasInspector, environment }) => [
  ...(hasInspector ? ['NODE_OPTIONS or an argument opens the inspector: leave --inspect away.'] : []),
  ...(env.LOG_LEVEL === 'debug' ? ['LOG_LEVEL is debug: set it to info or less.'] : []),
  ...(environment.DEBUG ? ['DEBUG is set: unset it.'] : []),
];

const host: Check = (env, { hasDotEnv, isRoot }) => [
  ...(hasDotEnv ? ['.env is there: it is for development, remove it and set the environment.'] : []),
  ...(isRoot && !env.ALLOW_ROOT ? ['This runs as root: use a user of its own, or set ALLOW_ROOT=1.'] : []),
];

/** By their numbers in access.md §8: 1, 2, 4–15 and 20, 21, 24, 26. */
const CHECKS: readonly Check[] = [
  switches,
  issuer,
  nodeEnv,
  secrets,
  reuse,
  publicUrl,
  origins,
  extensions,
  proxies,
  embedded,
  role,
  migrations,
  redisDoor,
  redisPolicy,
  archiveFolder,
  space,
  exposure,
  host,
];

/**
 * Why production must not start: one sentence for each fault, naming the setting and what to do; empty when all is well.
 * Never a secret's value. The start prints all of them and exits with 78.
 */
export function productionRefusals(env: Env, facts: ProductionFacts): readonly string[] {
  return CHECKS.flatMap((check) => check(env, facts) || []);
}
