import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from './database.ts';
import { missingMigration } from './database-authoring.ts';
import {
  applyMigrations,
  type Migration,
  pendingMigrations,
  readMigrations,
  type Sql,
} from './database-migrations.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lo-database-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('the embedded database', () => {
  it('migrates itself once, keeps what it was given, and is its owner’s alone', async () => {
    const first = await openDatabase({ varDir: directory });
    const names = (await readMigrations()).map(({ name }) => name);
    expect(first.applied).toEqual(names);
    const school = { id: 'one', name: 'One', timezone: 'UTC', locale: 'en' };
    await first.prisma.school.create({ data: school });
    expect((await stat(join(directory, 'database'))).mode & 0o777).toBe(0o700);
    await expect(openDatabase({ varDir: directory })).rejects.toMatchObject({ code: 'conflict' });
    await first.close();

    const before = performance.now();
    const second = await openDatabase({ varDir: directory });
    console.log(`figure embedded-database-reopen ${Math.round(performance.now() - before)} ms`);
    expect(second.applied).toEqual([]);
    expect(await second.prisma.school.findMany()).toMatchObject([school]);
    await second.close();
  }, 60_000);
});

describe('migrations', () => {
  it('lead to exactly what schema.prisma describes', async () => {
    expect(await missingMigration()).toBe('');
    expect((await readdir(join(import.meta.dirname, '..', 'prisma', 'migrations'))).sort().at(-1)).toBe(
      'migration_lock.toml',
    );
  }, 60_000);

  it('are refused when edited after they were applied, or after one failed half way', async () => {
    const engine = await PGlite.create();
    const sql: Sql = {
      exec: (text) => engine.exec(text),
      query: (text, values) => engine.query(text, values as unknown[]) as never,
    };
    const good: Migration = { name: '1_good', script: 'CREATE TABLE a (x int);', checksum: 'a' };
    expect(await applyMigrations(sql, [good])).toEqual(['1_good']);
    expect(await applyMigrations(sql, [good])).toEqual([]);
    await expect(pendingMigrations(sql, [{ ...good, checksum: 'b' }])).rejects.toMatchObject({
      code: 'conflict',
      message: 'migration 1_good was edited after it had been applied',
    });
    const bad: Migration = { name: '2_bad', script: 'CREATE TABLE b (x int); SELEKT;', checksum: 'c' };
    await expect(applyMigrations(sql, [good, bad])).rejects.toThrow();
    await expect(pendingMigrations(sql, [good, bad])).rejects.toThrow('2_bad failed earlier');
    await engine.close();
  }, 60_000);
});

describe('the tables', () => {
  it('hold their closed lists and at most one open row for a class and a person', async () => {
    const { prisma, close } = await openDatabase({ varDir: join(directory, 'tables') });
    const data = { schoolId: 's', source: 'hand' };
    await prisma.school.create({ data: { id: 's', name: 'S', timezone: 'UTC', locale: 'en' } });
    await prisma.classroom.create({ data: { id: 'c', name: 'C', ...data } });
    const person = { id: 'p', schoolId: 's', givenName: 'P', familyName: 'P', sortName: 'p' };
    await prisma.person.create({ data: person });
    const enrol = (id: string, until: Date | null) =>
      prisma.enrollment.create({ data: { id, classroomId: 'c', personId: 'p', until, ...data } });
    await enrol('1', null);
    await expect(enrol('2', null)).rejects.toThrow();
    await enrol('3', new Date(Date.now() + 1e6));
    await expect(enrol('4', new Date(0))).rejects.toThrow('Enrollment_order');
    const teach = { id: 't', classroomId: 'c', personId: 'p', as: 'owner', ...data };
    await expect(prisma.teaching.create({ data: teach })).rejects.toThrow('Teaching_as');
    await expect(prisma.person.create({ data: { ...person, id: 'q', state: 'gone' } })).rejects.toThrow(
      'Person_state',
    );
    await close();
  }, 60_000);
});
