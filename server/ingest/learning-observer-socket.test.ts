import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
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
});
