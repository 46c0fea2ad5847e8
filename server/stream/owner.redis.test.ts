import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Archive } from '#server/archive/archive.ts';
import { openMemoryArchive } from '#server/archive/memory-archive.ts';
import { type RedisServer, startRedis } from '#server/state/redis-server.ts';
import { openRedisStore } from '#server/state/redis-store.ts';
import { openOwner } from './owner.ts';
import { compareStored } from './shadow.ts';
import { store as append, drafting, folds, memoryLog, oracle, randomOf, registryOf } from './testing.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const random = randomOf(seed);
const draft = drafting();

function open(archive: Archive, url: string) {
  const states = openRedisStore({ url, timeoutMs: 300 });
  const limits = { flushEveryMs: 10, retryMs: [5, 100] as const };
  const owner = openOwner({ archive, store: states, registry: registryOf(folds), log: memoryLog(), limits });
  return { owner, states };
}

async function write(archive: Archive, entries: number): Promise<void> {
  for (let i = 0; i < entries; i++) {
    const event = random(4) === 0 ? 'ripple' : 'mark';
    await append(archive, [draft(`s${random(20)}`, [{ doc: `d${random(3)}`, event }])]);
    if (random(10) === 0) await new Promise((done) => setTimeout(done, random(10)));
  }
}

/** What Redis holds is the fold of the whole archive, by the owner's code and by the test's own. */
async function expectFold(archive: Archive, { owner, states }: ReturnType<typeof open>): Promise<void> {
  await owner.caughtUp();
  await owner.flush();
  const expected = await oracle(archive);
  const stored = new Map<string, unknown>();
  for await (const student of states.students())
    for (const [field, value] of (await states.load(student)).fields)
      if (field.includes(':')) stored.set(field, JSON.parse(value).s);
  expect(stored).toEqual(expected);
  const compared = await compareStored({ archive, store: states, reducers: folds });
  expect(compared).toEqual({ compared: expected.size, differing: [] });
}

for (const [name, settings] of [
  ['that keeps nothing', ['--save', '']],
  ['that syncs once a second', ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']],
] as const)
  describe(`an owner over a Redis ${name}`, () => {
    let server: RedisServer;
    beforeAll(async () => {
      console.info(`seed ${seed}`);
      server = await startRedis(settings);
    });
    afterAll(() => server.stop());

    it('misses and doubles nothing when Redis is killed under it, again and again', async () => {
      const archive = openMemoryArchive();
      const opened = open(archive, server.url);
      for (let kill = 0; kill < 5; kill++) {
        const writing = write(archive, 150);
        await new Promise((done) => setTimeout(done, random(60)));
        await server.restart();
        await writing;
      }
      await expectFold(archive, opened);
      await opened.owner.close();
      await opened.states.close();
    });

    it('misses and doubles nothing when owners are dropped, and stale ones go on', async () => {
      const archive = openMemoryArchive();
      let opened = open(archive, server.url);
      for (let i = 0; i < 8; i++) {
        await write(archive, 60);
        opened = open({ ...archive, fence: archive.end() }, server.url);
      }
      await expectFold(archive, opened);
    });

    it('goes on by itself after Redis hung, and accepts meanwhile', async () => {
      const archive = openMemoryArchive();
      const opened = open(archive, server.url);
      await write(archive, 50);
      server.signal('SIGSTOP');
      await write(archive, 200);
      expect(archive.end()).toBe(250);
      await new Promise((done) => setTimeout(done, 800));
      server.signal('SIGCONT');
      await expectFold(archive, opened);
    });
  });
