import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_CLASSES, findDemoPerson } from '../prisma/demo-people.ts';
import { seedDemoSchool } from '../prisma/demo-school.ts';
import { openAccess } from './access/open-access.ts';
import { testNotices } from './auth/testing.ts';
import { openDatabase } from './database.ts';
import { readMigrations } from './database-migrations.ts';
import { migrateServerDatabase, openServerDatabase, readServerDatabaseFacts } from './database-server.ts';

/** A real PostgreSQL in a folder of its own, on a free port; it refuses root, so root starts it as `postgres`. */
const BIN = findBinaries();
const isRoot = process.getuid?.() === 0;
let directory: string;
let url: (user: string, database: string) => string;

function findBinaries(): string {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort() : [];
  const newest = versions.at(-1);
  return newest ? `/usr/lib/postgresql/${newest}/bin` : '';
}

function run(program: string, ...args: string[]): void {
  const path = join(BIN, program);
  // Both streams are ignored: the server inherits them and would keep this call waiting.
  const options = { stdio: 'ignore', cwd: directory } as const;
  if (isRoot) execFileSync('runuser', ['-u', 'postgres', '--', path, ...args], options);
  else execFileSync(path, args, options);
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lo-pg-'));
  if (isRoot) execFileSync('chown', ['postgres', directory]);
  chmodSync(directory, 0o755);
  const port = await freePort();
  url = (user, database) => `postgresql://${user}@127.0.0.1:${port}/${database}`;
  run('initdb', '-D', join(directory, 'data'), '-A', 'trust', '-U', 'owner', '--no-sync', '-E', 'UTF8');
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c fsync=off`;
  run('pg_ctl', '-D', join(directory, 'data'), '-w', '-l', join(directory, 'log'), '-o', options, 'start');
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url('owner', 'postgres') });
  await client.connect();
  await client.query('CREATE DATABASE observer');
  await client.query('CREATE DATABASE demo');
  await client.query('CREATE ROLE app LOGIN');
  await client.end();
});
afterAll(() => {
  run('pg_ctl', '-D', join(directory, 'data'), '-m', 'immediate', 'stop');
  rmSync(directory, { recursive: true });
});

describe('a PostgreSQL server', () => {
  it('is refused while migrations are pending, and migrated once however many try', async () => {
    const owner = url('owner', 'observer');
    await expect(openServerDatabase(owner)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('npm run migrate'),
    });
    expect((await readServerDatabaseFacts(owner)).pendingMigrations).toBe((await readMigrations()).length);
    const applied = await Promise.all([1, 2, 3].map(() => migrateServerDatabase(owner)));
    expect(applied.flat()).toEqual((await readMigrations()).map(({ name }) => name));
    const database = await openServerDatabase(owner);
    expect(await database.prisma.school.count()).toBe(0);
    await database.close();
  });

  it('tells a role that may do too much from the role of the application', async () => {
    expect(await readServerDatabaseFacts(url('owner', 'observer'))).toEqual({
      isSuperuser: true,
      bypassesRowSecurity: true,
      ownsTables: true,
      pendingMigrations: 0,
      hasEditedMigrations: false,
    });
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: url('owner', 'observer') });
    await client.connect();
    await client.query('GRANT SELECT ON ALL TABLES IN SCHEMA public TO app');
    expect(await readServerDatabaseFacts(url('app', 'observer'))).toMatchObject({
      isSuperuser: false,
      bypassesRowSecurity: false,
      ownsTables: false,
    });
    await client.query(`UPDATE "_prisma_migrations" SET checksum = 'edited'`);
    expect((await readServerDatabaseFacts(url('app', 'observer'))).hasEditedMigrations).toBe(true);
    await client.end();
  });

  it('answers who sees whom as the embedded database does', async () => {
    const database = await openDatabase({ url: url('owner', 'demo'), varDir: directory, isDemo: true });
    const { prisma } = database;
    await seedDemoSchool(prisma);
    await seedDemoSchool(prisma);
    expect(await prisma.person.count()).toBe(42);
    const clock = () => Date.now() + 1000;
    const access = openAccess(prisma, testNotices(), clock);
    const teacher = findDemoPerson('teacher@demo.test');
    if (!teacher) throw new Error('no teacher');
    const expires = new Date(clock() + 1e6);
    const session = { id: 's', sessionToken: 'h', userId: teacher.id, expires, idleUntil: expires };
    await prisma.session.create({ data: session });
    const { schoolId } = await prisma.person.findUniqueOrThrow({ where: { id: teacher.id } });
    const viewer = { personId: teacher.id, schoolId, name: '', sessionId: 's', roles: [], address: '' };
    const permit = await access.toClass(viewer, DEMO_CLASSES.english, 'read');
    const students = await access.studentsOf(permit);
    expect(students).toHaveLength(30);
    expect(new Set(students.map(({ name }) => name)).size).toBe(30);
    await expect(access.toClass(viewer, DEMO_CLASSES.history, 'read')).rejects.toMatchObject({
      code: 'not-found',
    });
    access.close();
    await database.close();
  });
});
