import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Identity } from './identity.ts';
import {
  batch,
  hello,
  openTestServer,
  save,
  type TestServer,
  type TestServerOptions,
} from './test-server.ts';

const open: TestServer[] = [];
async function start(options?: TestServerOptions): Promise<TestServer> {
  const server = await openTestServer(options);
  server.world.claims.set('google:1157', ADA);
  server.world.claims.set('google:22', { ...ADA, student: 'bo' });
  open.push(server);
  return server;
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const ADA: Identity = { student: 'ada', school: 's1', kind: 'claimed', credential: 'claim', expiresAt: null };
const SOURCE = { event: 'lock_fields', fields: { source: 'org.test.pad', version: '1' }, metadata: {} };
const CLAIM = {
  event: 'lock_fields',
  fields: {
    chrome_identity: { email: 'a@School.edu', id: '1157' },
    browserInfo: { browser_info: { navigator: { userAgent: 'Test/1' }, connection: {} } },
    localStorageInfo: { secret: 'kept-nowhere' },
  },
  metadata: {},
};

type Told = { status: string; [field: string]: unknown };
type Client = {
  readonly ws: WebSocket;
  readonly told: Told[];
  readonly closed: Promise<number>;
  send(...frames: (object | string)[]): void;
  /** Waits until a frame of this status has come, and gives the newest. */
  next(status: string, count?: number): Promise<Told>;
  /** Waits until everything sent so far has its end. */
  settle(): Promise<Told>;
};

async function connect(server: TestServer, options?: Parameters<TestServer['plain']>[1]): Promise<Client> {
  const ws = server.plain('/wsapi/in/', options);
  const told: Told[] = [];
  const closed = new Promise<number>((resolve) => ws.on('close', resolve));
  ws.on('error', () => {});
  ws.on('message', (data) => told.push(JSON.parse(String(data))));
  await new Promise((resolve) => ws.on('open', resolve));
  const of = (status: string) => told.filter((frame) => frame.status === status);
  let blobs = 0;
  const client: Client = {
    ws,
    told,
    closed,
    send(...frames) {
      for (const frame of frames) ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    },
    async next(status, count = 1) {
      await expect
        .poll(() => of(status).length, { timeout: 4_000, interval: 5 })
        .toBeGreaterThanOrEqual(count);
      return of(status).at(-1) as Told;
    },
    async settle() {
      client.send({ event: 'fetch_blob' });
      blobs += 1;
      return client.next('fetch_blob', blobs);
    },
  };
  return client;
}

const event = (n: number, more: object = {}) => ({ event: 'save', doc_id: 'd1', n, metadata: {}, ...more });
const ns = async (server: TestServer) =>
  (await server.entries()).flatMap((entry) => entry.ev ?? []).map(({ body }) => body.n);
const codes = (client: Client) =>
  client.told.filter(({ status }) => status === 'answer').map(({ code }) => code);

describe('/wsapi/in/, the protocol of the predecessor', () => {
  it('A01 upgrades with and without the last slash, with no extension and no sub-protocol', async () => {
    const server = await start();
    for (const path of ['/wsapi/in/', '/wsapi/in', '/wsapi/in/?x=1']) {
      const ws = server.plain(path);
      const headers = await new Promise<NodeJS.Dict<string | string[]>>((resolve) =>
        ws.on('upgrade', (response) => resolve(response.headers)),
      );
      expect(headers['sec-websocket-extensions']).toBeUndefined();
      expect(headers['sec-websocket-protocol']).toBeUndefined();
    }
  });

  it('A02 upgrades nothing else', async () => {
    const server = await start();
    const outcome = (ws: WebSocket) =>
      new Promise<string>((resolve) => ws.on('error', (error) => resolve(error.message)));
    expect(await outcome(server.plain('/wsapi/other'))).toMatch(/hang up/);
    expect(await outcome(server.plain('/wsapi/in/', { headers: { origin: 'http://evil.test' } }))).toMatch(
      /403/,
    );
  });

  it('A03 A04 A05 A30 stores, in order, what came before identity and source were known', async () => {
    const server = await start();
    const client = await connect(server);
    client.send({ event: 'extension_loaded' });
    for (let n = 1; n <= 300; n++) client.send(event(n, { text: 'x'.repeat(600) }));
    client.send({ ...CLAIM, fields: { ...CLAIM.fields, ...SOURCE.fields } });
    expect(await client.next('auth')).toMatchObject({
      user: 'ada',
      user_id: 'ada',
      identity: 'claimed',
      frame: 302,
    });
    client.ws.close();
    await client.closed;
    const entries = await server.entries();
    expect(entries[0]).toMatchObject({ src: 'org.test.pad', ev: [{ event: 'extension_loaded' }] });
    expect(entries[0]?.p).toMatch(/^~/);
    expect((await ns(server)).slice(1)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    const text = JSON.stringify(await server.everything());
    for (const secret of ['kept-nowhere', 'chrome_identity', '1157', 'School'])
      expect(text).not.toContain(secret);
    expect(text).toContain('Test/1');
  });

  it('A06 A07 A08 merges locked fields deeply, over the fields of events, but never their names', async () => {
    const server = await start();
    const client = await connect(server);
    const lock = (fields: object) => ({ event: 'lock_fields', fields: { ...SOURCE.fields, ...fields } });
    client.send(
      CLAIM,
      lock({ a: { x: 1 } }),
      lock({ a: { y: 2 }, activity: 'p', event: 'evil', student: 'bo' }),
    );
    client.send(event(1, { activity: 'q' }));
    await client.settle();
    const [entry] = await server.entries();
    expect(entry?.ev?.[0]).toMatchObject({ event: 'save', body: { a: { x: 1, y: 2 }, activity: 'p' } });
    expect(entry?.s).toBe('ada');
    expect(server.ingest.counts().notes).toMatchObject({ 'fields-ignored': 1 });
  });

  it('A09 A10 A11 answers each bad frame with its reason and stores the good ones between', async () => {
    const server = await start({ limits: { old: { answersPerSecond: 100 } } });
    const client = await connect(server);
    client.send(CLAIM, SOURCE);
    await client.next('auth');
    const deep = `{"event":"save","doc_id":"d","a":${'['.repeat(64)}${']'.repeat(64)}}`;
    const bad: readonly [object | string, string][] = [
      [{ event: 'lock_fields' }, 'field-missing'],
      [{ event: 'lock_fields', fields: [] }, 'field-wrong'],
      [{ event: 'lock_fields', fields: 7 }, 'field-wrong'],
      ['{', 'not-json'],
      ['[]', 'not-a-batch'],
      ['null', 'not-a-batch'],
      ['7', 'not-a-batch'],
      ['{}', 'field-missing'],
      [{ event: 7 }, 'field-wrong'],
      [deep, 'too-deep'],
      [event(0, { constructor: 1 }), 'forbidden-key'],
      [event(0, { doc_id: 'a\r\n' }), 'key-field-invalid'],
      [{ event: 'nothing' }, 'unknown-event'],
    ];
    for (const [n, [frame]] of bad.entries()) client.send(frame, event(n));
    client.ws.send(Buffer.from([1]), { binary: true });
    client.send({ event: 'lock_fields', fields: { source: 'unknown' } }, event(99));
    expect(await client.settle()).toMatchObject({ data: null, code: 'field-missing' });
    expect(codes(client)).toEqual([...bad.map(([, code]) => code), 'binary-unexpected', 'unknown-source']);
    expect(await ns(server)).toEqual(bad.map((_, n) => n));
    const rows = (await server.entries()).filter((entry) => entry.k === 'bad');
    expect(rows).toHaveLength(bad.length + 2);
  });

  it('A12 takes an empty profile for no claim', async () => {
    const server = await start();
    const client = await connect(server);
    client.send(SOURCE, { event: 'lock_fields', fields: { chrome_identity: { email: '', id: '' } } });
    expect(await client.settle()).toMatchObject({ data: null, code: 'anonymous' });
    expect(server.world.claimed).toEqual([]);
    expect(client.told).toHaveLength(1);
  });

  it('A13 A14 holds whom it does not know, stores nothing and leaves the socket open', async () => {
    const server = await start();
    server.world.claims.clear();
    const silent = await connect(server);
    silent.send(SOURCE, CLAIM);
    const client = await connect(server);
    client.send(CLAIM, SOURCE, event(1));
    expect(await client.next('answer')).toMatchObject({ result: 'refused', code: 'claims-off', frame: 3 });
    expect(await client.next('blocklist')).toMatchObject({
      action: 'MAINTAIN',
      time_limit: 'MINUTES',
      code: 'claims-off',
    });
    for (let n = 0; n < 100; n++) client.send(event(n));
    await client.settle();
    expect(server.world.claimed[0]).toMatchObject({
      method: 'chromebook',
      domain: 'school.edu',
      value: 'google:1157',
    });
    expect(await server.everything()).toEqual([]);
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    expect(silent.told).toEqual([]);
    expect(server.ingest.counts().edges['learning-observer']).toMatchObject({ received: 101, refused: 101 });
  });

  it('A15 A16 A17 lets nothing change whose events they are', async () => {
    const server = await start();
    const cookie = await connect(server, { headers: { cookie: 'session=ada', origin: 'http://pad.test' } });
    expect(await cookie.next('auth')).toMatchObject({ identity: 'verified', user: 'ada' });
    cookie.send(
      SOURCE,
      { event: 'lock_fields', fields: { chrome_identity: { email: 'b@x.y', id: '22' } } },
      event(1),
    );
    await cookie.settle();
    const client = await connect(server);
    client.send(CLAIM, SOURCE);
    await client.next('auth');
    client.send({ event: 'lock_fields', fields: { chrome_identity: { email: 'b@x.y', id: '22' } } });
    const names = ['auth', 'user_id', 'safe_user_id', 'student', 'student_id', 'sec', 'providence'];
    for (const name of names)
      client.send(event(2, { [name]: 'bo', user: { [name]: 'bo' }, a: { [name]: 'bo' } }));
    await client.settle();
    const entries = await server.entries();
    expect(entries).toHaveLength(1 + names.length);
    expect(new Set((await server.everything()).map((entry) => entry.s))).toEqual(new Set(['ada']));
    expect(
      entries.flatMap((entry) => entry.ev ?? []).some(({ body }) => 'student' in body || 'user_id' in body),
    ).toBe(false);
    expect(server.ingest.counts().notes).toMatchObject({
      'claim-mismatch': expect.any(Number),
      'identity-fixed': 1,
    });
  });

  it('A15 takes no cookie without a listed page', async () => {
    const server = await start();
    for (const origin of ['', 'chrome-extension://abc']) {
      const headers = { cookie: 'session=ada', ...(origin ? { origin } : {}) };
      const client = await connect(server, { headers });
      expect(await client.settle()).toMatchObject({ code: 'anonymous' });
      expect(client.told.some(({ status }) => status === 'auth')).toBe(false);
    }
  });

  it('A18 takes a token in the header or in locked fields, refuses others, and writes none down', async () => {
    const server = await start();
    const client = await connect(server);
    client.send({ event: 'lock_fields', fields: { ingest_token: 'expired-token' } });
    expect(await client.next('answer')).toMatchObject({
      result: 'refused',
      code: 'unauthenticated',
      frame: 1,
    });
    client.send({ event: 'lock_fields', fields: { ...SOURCE.fields, ingest_token: 'token-ada' } });
    expect(await client.next('auth')).toMatchObject({ identity: 'verified' });
    client.send(event(1), { event: 'nothing', ingest_token: 'token-ada' }, '{"ingest_token":"token-ada"');
    await client.settle();
    expect(await ns(server)).toEqual([1]);
    expect(JSON.stringify(await server.everything())).not.toContain('token-');
    const bearer = await connect(server, { headers: { authorization: 'Bearer token-bo' } });
    expect(await bearer.next('auth')).toMatchObject({ user: 'bo', frame: 0 });
  });

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

describe('/wsapi/in/ with the sub-protocol learning-observer.1', () => {
  it('speaks part B, one answer a frame, in order', async () => {
    const server = await start();
    const ws = server.plain('/wsapi/in/', {
      protocol: 'learning-observer.1',
      headers: { authorization: 'Bearer token-ada' },
    });
    const told: object[] = [];
    ws.on('message', (data) => told.push(JSON.parse(String(data))));
    await new Promise((resolve) => ws.on('open', resolve));
    expect(ws.protocol).toBe('learning-observer.1');
    const frames = [hello(), batch(1, [save(1)]), batch(9, [save(9)]), '[', batch(2, [save(2), save(3)])];
    for (const frame of frames) ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    await expect.poll(() => told.length).toBe(5);
    expect(told).toMatchObject([
      { type: 'welcome', next: 1 },
      { type: 'stored', upTo: 1 },
      { type: 'refused', code: 'gap', expected: 2 },
      { type: 'bad-frame', code: 'not-json' },
      { type: 'stored', upTo: 3 },
    ]);
  });

  it('closes who proves nothing, and who sends twice too much', async () => {
    const server = await start();
    const ws = server.plain('/wsapi/in/', { protocol: 'learning-observer.1' });
    expect(await new Promise((resolve) => ws.on('close', resolve))).toBe(4401);
    const large = server.plain('/wsapi/in/', {
      protocol: 'learning-observer.1',
      headers: { authorization: 'Bearer token-ada' },
    });
    await new Promise((resolve) => large.on('open', resolve));
    large.send('x'.repeat(140 * 1024));
    expect(await new Promise((resolve) => large.on('close', resolve))).toBe(1009);
  });
});
