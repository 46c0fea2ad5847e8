import { afterEach, describe, expect, it } from 'vitest';
import type { AppendDone, Archive } from '#server/archive/archive.ts';
import { ask, batch, hello, openTestServer, PRODUCER, save, type TestServer } from './ingest-server.bench.ts';
import { CLAIM, connectPlain, event, startObserver } from './observer.testing.ts';

const open: TestServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** Keeps appends from being durable until `flow` is called, or fails them. */
function dam() {
  let held: (() => void)[] = [];
  let isOpen = false;
  let fails = false;
  return {
    wrap: (archive: Archive): Archive => ({
      ...archive,
      append(drafts, done: AppendDone) {
        const go = () => (fails ? done('disk-full', -1) : archive.append(drafts, done));
        if (isOpen) go();
        else held.push(go);
      },
    }),
    held: () => held.length,
    flow(how: { readonly fails: boolean }) {
      fails = how.fails;
      isOpen = !how.fails;
      const all = held;
      held = [];
      for (const go of all) go();
    },
  };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('an answer', () => {
  it('waits for the archive: of events, of bad frames and of duplicates of what is on its way', async () => {
    const water = dam();
    const server = await openTestServer({ archive: water.wrap });
    open.push(server);
    const [socket, other] = [server.connect(), server.connect()];
    await Promise.all([ask(socket, hello()), ask(other, hello())]);
    const before = water.held();
    const events = [save(1), save(2)];
    const heard: string[] = [];
    const hear = (name: string) => (answer: { type: string }) => void heard.push(`${name} ${answer.type}`);
    const answers = [ask(socket, batch(1, events)).then(hear('first')), ask(socket, '[').then(hear('bad'))];
    await expect.poll(() => water.held()).toBe(before + 2);
    answers.push(ask(other, batch(1, events)).then(hear('again')));
    expect(await ask(server.connect(), hello())).toMatchObject({ next: 1 });
    await turns();
    expect(heard).toEqual([]);
    water.flow({ fails: false });
    await Promise.all(answers);
    expect(heard.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'again stored',
      'bad bad-frame',
      'first stored',
    ]);
    expect((await server.entries()).flatMap((entry) => entry.ev ?? [])).toHaveLength(2);
    expect(server.ingest.counts().edges.socket).toMatchObject({ stored: 2, duplicate: 2, bad: 1 });
  });

  it('refuses when the append fails, the duplicates that waited for it too, and takes all of it later', async () => {
    const water = dam();
    const server = await openTestServer({ archive: water.wrap });
    open.push(server);
    const [socket, other] = [server.connect(), server.connect()];
    await Promise.all([ask(socket, hello()), ask(other, hello())]);
    const before = water.held();
    const first = ask(socket, batch(1, [save(1)]));
    const second = ask(socket, batch(2, [save(2)]));
    await expect.poll(() => water.held()).toBe(before + 2);
    const again = ask(other, batch(2, [save(2)]));
    await expect.poll(() => server.ingest.counts().edges.socket.received).toBe(3);
    water.flow({ fails: true });
    expect(await first).toMatchObject({ type: 'refused', code: 'disk-full', from: 1 });
    expect(await second).toMatchObject({ type: 'refused', code: 'disk-full', from: 2 });
    expect((await again).type).toBe('refused');
    water.flow({ fails: false });
    expect(await ask(socket, batch(1, [save(1), save(2)]))).toEqual({ type: 'stored', upTo: 2, bad: [] });
    const { received, stored, refused } = server.ingest.counts().edges.socket;
    expect([received, stored, refused]).toEqual([5, 2, 3]);
  });

  it('on the plain socket comes after the archive too, at a fetch and for a bad frame', async () => {
    const water = dam();
    const server = await startObserver({ archive: water.wrap });
    open.push(server);
    const client = await connectPlain(server);
    client.send({ ...CLAIM, fields: { ...CLAIM.fields, source: 'org.test.pad' } });
    await client.next('auth');
    client.send(event(1), event(2, { n: 'two' }), '{', { event: 'fetch_blob' });
    await expect.poll(() => server.ingest.counts().edges['learning-observer'].received).toBe(3);
    await turns();
    expect(client.told.map(({ status }) => status)).toEqual(['auth']);
    water.flow({ fails: false });
    await client.next('fetch_blob');
    expect(client.told.map(({ status }) => status)).toEqual(['auth', 'answer', 'answer', 'fetch_blob']);
  });
});

describe('a start', () => {
  it('goes on with what the archive held of producers, and stores none of it again', async () => {
    const held = { producer: PRODUCER, epoch: 1, student: 'ada', last: 3, hashes: new Uint8Array() };
    const server = await openTestServer({ producers: [{ ...held, lastAt: Date.now() }] });
    open.push(server);
    const [socket, other] = [server.connect(), server.connect({ token: 'token-bo' })];
    expect(await ask(socket, hello())).toMatchObject({ type: 'welcome', next: 4 });
    expect(await ask(other, hello())).toMatchObject({ type: 'refused', code: 'forbidden' });
    const events = [save(1), save(2), save(3), save(4)];
    expect(await ask(socket, batch(1, events))).toEqual({ type: 'stored', upTo: 4, bad: [] });
    expect((await server.entries()).map(({ f, ev }) => [f, ev?.length])).toEqual([[4, 1]]);
  });
});

describe('limits', () => {
  it('belong to the student, not to the socket', async () => {
    const server = await openTestServer({ limits: { burst: 10, eventsPerSecond: 0.001 } });
    open.push(server);
    const [one, two] = [server.connect(), server.connect()];
    await ask(one, hello());
    await ask(two, hello({ producer: `${PRODUCER.slice(1)}B` }));
    const eight = Array.from({ length: 8 }, (_, n) => save(n));
    expect(await ask(one, batch(1, eight))).toMatchObject({ type: 'stored' });
    const refused = await ask(two, batch(1, eight, { producer: `${PRODUCER.slice(1)}B` }));
    expect(refused).toMatchObject({ type: 'refused', code: 'rate-limited' });
    one.close();
    two.close();
    const three = server.connect();
    await ask(three, hello());
    expect(await ask(three, batch(9, eight))).toMatchObject({ type: 'refused', code: 'rate-limited' });
    const bo = server.connect({ token: 'token-bo' });
    await ask(bo, hello({ producer: 'C'.repeat(22) }));
    expect(await ask(bo, batch(1, eight, { producer: 'C'.repeat(22) }))).toMatchObject({ type: 'stored' });
  });
});
