import { afterEach, describe, expect, it } from 'vitest';
import type { TestServer, TestServerOptions } from './ingest-server.bench.ts';
import {
  CLAIM,
  codes,
  connectPlain as connect,
  event,
  ns,
  SOURCE,
  startObserver,
} from './observer.testing.ts';

const open: TestServer[] = [];
async function start(options?: TestServerOptions): Promise<TestServer> {
  const server = await startObserver(options);
  open.push(server);
  return server;
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

describe('/wsapi/in/ over time', () => {
  it('A19 gives every frame before terminate its end, and closes', async () => {
    const server = await start();
    const client = await connect(server);
    client.send(CLAIM, SOURCE);
    for (let n = 0; n < 5; n++) client.send(event(n));
    client.send({ event: 'terminate' });
    expect(await client.closed).toBe(1000);
    expect(await ns(server)).toEqual([0, 1, 2, 3, 4]);
    const first = await connect(server);
    first.send({ event: 'terminate' });
    expect(await first.closed).toBe(1000);
  });

  it('says connected again after a terminate only with the next data event', async () => {
    const server = await start();
    const presence = async () =>
      (await server.everything())
        .filter(({ src }) => src === 'connection')
        .flatMap(({ ev }) => ev ?? [])
        .map(({ event }) => event);
    const first = await connect(server);
    first.send(CLAIM, SOURCE);
    await first.next('auth');
    first.send({ event: 'terminate' });
    await first.closed;
    await expect.poll(presence).toEqual(['connected', 'disconnected']);
    const second = await connect(server);
    second.send(CLAIM, SOURCE);
    await second.next('auth');
    await second.settle();
    expect(await presence()).toEqual(['connected', 'disconnected']);
    second.send(event(1));
    await second.settle();
    expect(await presence()).toEqual(['connected', 'disconnected', 'connected']);
  });

  it('A21 answers a fetch after everything before it is in the archive', async () => {
    const server = await start();
    const client = await connect(server);
    client.send(CLAIM, SOURCE, { event: 'lock_fields', fields: { activity: 'p' } });
    for (let n = 0; n < 50; n++) client.send(event(n));
    client.send({ event: 'fetch_blob', reduxID: 'r1' });
    expect(await client.next('fetch_blob')).toEqual({
      status: 'fetch_blob',
      data: null,
      frame: 54,
      reduxID: 'r1',
    });
    expect(await ns(server)).toHaveLength(50);
  });

  it('A22 takes a large history of a known person and cuts off who sends much unknown', async () => {
    const server = await start({ limits: { old: { bytesBeforeIdentity: 1024 * 1024 } } });
    const client = await connect(server);
    client.send(CLAIM, SOURCE);
    await client.next('auth');
    client.send({ event: 'history', doc_id: 'd', text: 'x'.repeat(1_500_000) });
    await client.settle();
    expect((await server.entries())[0]?.ev?.[0]?.body.text).toHaveLength(1_500_000);
    const stranger = await connect(server);
    stranger.send({ event: 'history', doc_id: 'd', text: 'x'.repeat(2_000_000) });
    expect(await stranger.closed).toBe(4401);
    const again = server.plain();
    expect(await new Promise((resolve) => again.on('error', (error) => resolve(error.message)))).toMatch(
      /429/,
    );
  });

  it('A23 counts the events of several sockets of one student', async () => {
    const server = await start({ limits: { burst: 1_000 } });
    const clients = await Promise.all([1, 2, 3, 4].map(() => connect(server)));
    for (const client of clients) client.send(CLAIM, SOURCE);
    for (let n = 0; n < 201; n++) for (const client of clients) client.send(event(n));
    await Promise.all(clients.map((client) => client.settle()));
    expect(await ns(server)).toHaveLength(804);
  });

  it('A24 tells on demand up to which frame everything is durable', async () => {
    const server = await start();
    const client = await connect(server);
    client.send(CLAIM, SOURCE, { event: 'lock_fields', fields: { answers: 'all' } });
    for (let n = 0; n < 100; n++) client.send(event(n));
    const answer = await client.next('answer');
    expect(answer).toMatchObject({ result: 'stored' });
    expect((await ns(server)).length).toBeGreaterThanOrEqual(Number(answer.frame) - 3);
  });

  it('A25 answers good frames with nothing, and a thousand bad ones with ten answers a second', async () => {
    const server = await start();
    const client = await connect(server);
    client.send(CLAIM, SOURCE, event(1));
    await client.settle();
    expect(client.told.map(({ status }) => status)).toEqual(['auth', 'fetch_blob']);
    for (let n = 0; n < 1_000; n++) client.send('{');
    const sum = () =>
      client.told
        .filter(({ status }) => status === 'answer')
        .reduce((all, { count }) => all + Number(count ?? 1), 0);
    await expect.poll(sum, { timeout: 4_000 }).toBe(1_000);
    expect(codes(client).length).toBeLessThanOrEqual(20);
  });

  it('A26 tells a client to drop what must not be collected, once for each data event', async () => {
    const server = await start();
    server.world.decide = () => 'domain-declined';
    const client = await connect(server);
    client.send(CLAIM, SOURCE, event(1), event(2), '{');
    await client.next('answer', 3);
    const blocks = client.told.filter(({ status }) => status === 'blocklist');
    expect(blocks).toMatchObject([{ action: 'DROP', time_limit: 'DAYS' }, { action: 'DROP' }]);
    server.world.decide = () => 'outside-window';
    server.world.opensAt = Date.now() + 60_000;
    client.send(event(3));
    const closed = await client.next('blocklist', 3);
    expect(closed).toMatchObject({ action: 'DROP', code: 'outside-window' });
    expect(Number(closed.time_limit)).toBeGreaterThan(50_000);
    expect(await server.entries()).toEqual([]);
  });

  it('A31 reads the newest sockets of a student and closes none', async () => {
    const server = await start({ limits: { old: { activeSockets: 2 } } });
    const clients = [];
    for (let i = 0; i < 5; i++) {
      const client = await connect(server);
      client.send(CLAIM, SOURCE, event(i));
      await client.settle();
      clients.push(client);
    }
    clients[0]?.send(event(100));
    clients[4]?.send(event(101));
    await clients[4]?.settle();
    expect(await ns(server)).toEqual([0, 1, 2, 3, 4, 101]);
    expect(clients.every(({ ws }) => ws.readyState === ws.OPEN)).toBe(true);
    clients[4]?.ws.close();
    clients[3]?.ws.close();
    clients[2]?.ws.close();
    await expect.poll(() => ns(server)).toEqual([0, 1, 2, 3, 4, 101, 100]);
  });

  it('pauses the reading of a fast student and stores everything, in order', async () => {
    const server = await start({ limits: { burst: 20, eventsPerSecond: 200 } });
    const client = await connect(server);
    client.send(CLAIM, SOURCE);
    for (let n = 0; n < 120; n++) client.send(event(n));
    await client.settle();
    expect(await ns(server)).toEqual(Array.from({ length: 120 }, (_, n) => n));
    expect(codes(client)).toEqual([]);
  });

  it('keeps what it was sent while the disk is full', async () => {
    const server = await start();
    const client = await connect(server);
    client.send(CLAIM, SOURCE);
    await client.next('auth');
    server.world.refuse = 'busy';
    client.send(event(1), event(2), event(3));
    await expect.poll(() => server.ingest.counts().edges['learning-observer'].received).toBe(3);
    server.world.refuse = null;
    await client.settle();
    expect(await ns(server)).toEqual([1, 2, 3]);
  });

  it('gives parked frames up when no source comes, as bad rows, and holds strangers', async () => {
    const server = await start({ limits: { old: { roomyParkMs: 50 } } });
    const client = await connect(server);
    client.send(CLAIM, event(1));
    expect(await client.next('answer')).toMatchObject({ result: 'bad', code: 'parked-too-long' });
    const stranger = await connect(server);
    stranger.send(SOURCE, event(1));
    expect(await stranger.next('answer')).toMatchObject({ result: 'refused', code: 'held' });
    expect(await stranger.next('blocklist')).toMatchObject({ action: 'MAINTAIN' });
    expect(stranger.ws.readyState).toBe(stranger.ws.OPEN);
  });

  it('finds a source with dashes, mends surrogates, and takes the time that the client wrote', async () => {
    const server = await start();
    const client = await connect(server);
    const ts = Date.now() - 5_000;
    client.send(CLAIM);
    await client.next('auth');
    client.send({ event: 'key', source: 'org-test-old', n: 1 });
    client.send({ event: 'lock_fields', fields: SOURCE.fields });
    client.send(`{"event":"save","doc_id":"d","text":"a\\ud800b","metadata":{"ts":${ts}}}`);
    client.send(event(2, { metadata: { iso_ts: '1999-01-01T00:00:00Z' } }));
    await client.settle();
    const events = (await server.entries()).flatMap((entry) => entry.ev ?? []);
    expect(events[0]).toMatchObject({ event: 'key', body: { n: 1 } });
    expect(events[1]).toMatchObject({ sentAt: ts, body: { text: 'a\ufffdb' } });
    expect(events[2]?.sentAt).toBeUndefined();
  });

  it('closes who does not answer pings, and keeps the worker of an extension awake', async () => {
    const server = await start({ limits: { old: { pingEveryMs: 30, aliveEveryMs: 30 } } });
    const deaf = server.plain('/wsapi/in/', { headers: { origin: 'chrome-extension://abc' } });
    const heard: string[] = [];
    const closed = new Promise<number>((resolve) => deaf.on('close', resolve));
    deaf.on('message', (data) => heard.push(String(data)));
    deaf.pong = () => {};
    expect(await closed).toBe(4408);
    expect(heard[0]).toMatch(/"status":"alive"/);
  });
});
