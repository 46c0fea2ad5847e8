import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, batch, hello, openTestServer, save, type TestServer } from './ingest-server.bench.ts';

const open: TestServer[] = [];
async function start(...options: Parameters<typeof openTestServer>): Promise<TestServer> {
  const server = await openTestServer(...options);
  open.push(server);
  return server;
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const body = (from: number, events: Parameters<typeof batch>[1], more: object = {}) =>
  JSON.stringify(batch(from, events, { oldest: 1, now: Date.now(), ...more }));

describe('POST /api/events', () => {
  it('D01 stores a batch once and says what of it was bad', async () => {
    const server = await start();
    const good = body(1, [save(1), save(2), save(3)]);
    const mixed = body(4, [save(4), save(5, { body: {} }), save(6)]);
    expect((await server.post(good)).status).toBe(200);
    const answer = await server.post(mixed);
    expect(answer.status).toBe(207);
    expect(await answer.json()).toMatchObject({
      upTo: 6,
      bad: [{ seq: 5, code: 'schema', message: 'doc_id is missing' }],
    });
    expect((await server.post(good)).status).toBe(200);
    expect((await server.post(mixed)).status).toBe(200);
    const entries = await server.entries();
    expect(entries.filter(({ k }) => k === 'bad')).toHaveLength(1);
    expect(entries.flatMap(({ ev }) => ev ?? [])).toHaveLength(5);
  });

  it('D03 refuses other types, too much, bombs and strangers, and stores nothing of them', async () => {
    const server = await start({ limits: { httpBytes: 1024 * 1024 } });
    const status = async (...args: Parameters<TestServer['post']>) => (await server.post(...args)).status;
    const good = body(1, [save(1)]);
    expect(await status(good, { 'content-type': 'text/plain' })).toBe(415);
    expect(await status(good, { 'content-encoding': 'br' })).toBe(415);
    expect(
      await status(
        body(
          1,
          Array.from({ length: 501 }, (_, n) => save(n)),
        ),
      ),
    ).toBe(413);
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(20 * 1024 * 1024, 'x')));
    expect(await status(bomb, { 'content-encoding': 'gzip' })).toBe(413);
    expect(await status('x'.repeat(1024 * 1024 + 1))).toBe(413);
    expect(await status(body(1, [save(1, { body: { doc_id: 'd', text: 'x'.repeat(66_000) } })]))).toBe(413);
    expect(await status(good, { authorization: '' })).toBe(401);
    expect(await status(good, { authorization: 'Bearer other' })).toBe(401);
    expect(await status(good, { authorization: '', cookie: 'session=ada' })).toBe(401);
    expect(await status('{')).toBe(400);
    expect(await status('[]')).toBe(400);
    expect(await status(JSON.stringify(batch(1, [save(1)])))).toBe(400);
    expect(await status(new Uint8Array([0x7b, 0xff, 0x7d]))).toBe(400);
    expect(await status('no gzip', { 'content-encoding': 'gzip' })).toBe(400);
    expect(await server.everything()).toEqual([]);
  });

  it('takes a large event of a type that declares it, and gzip', async () => {
    const server = await start();
    const history = {
      event: 'history',
      sentAt: Date.now(),
      body: { doc_id: 'd', text: 'x'.repeat(2_000_000) },
    };
    const zipped = new Uint8Array(gzipSync(body(1, [history])));
    expect((await server.post(zipped, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect((await server.entries())[0]?.ev?.[0]?.body.text).toHaveLength(2_000_000);
  });

  it('answers conflicts with 409, limits with 429 and trouble with 503, each with when to come again', async () => {
    const server = await start({ limits: { burst: 2, eventsPerSecond: 1 } });
    const gap = await server.post(body(9, [save(1)]));
    expect([gap.status, await gap.json()]).toMatchObject([409, { code: 'gap', expected: 1 }]);
    const limited = await server.post(body(1, [save(1), save(2), save(3)]));
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    server.world.refuse = 'disk-full';
    const full = await server.post(body(1, [save(1)]));
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '5']);
    server.world.refuse = null;
    expect((await server.post(body(1, [save(1)]))).status).toBe(200);
    expect((await server.post(body(1, [save(1)], { epoch: 2 }))).status).toBe(200);
    expect((await server.post(body(2, [save(1)]))).status).toBe(409);
    expect((await server.post(body(1, [save(1)]), { authorization: 'Bearer token-bo' })).status).toBe(409);
  });

  it('counts every event of a mixed bag over all edges in exactly one end', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    server.world.decide = (_student, at) => (at < Date.now() - 60_000 ? 'outside-window' : null);
    const first = save(1);
    const old = save(4, { sentAt: Date.now() - 3_600_000 });
    await ask(socket, batch(1, [first, save(2, { body: {} }), { ...save(3), event: 'no' }, old, save(5)]));
    await ask(socket, batch(1, [first, save(22)]));
    await ask(socket, batch(9, [save(9), save(10)]));
    await ask(socket, 'not json');
    await server.post(body(1, [first, save(2)], { producer: 'B'.repeat(22) }));
    await server.post(body(1, [first, save(9), old], { producer: 'B'.repeat(22) }));
    const ws = server.plain('/wsapi/in/', { headers: { authorization: 'Bearer token-ada' } });
    const closed = new Promise((resolve) => ws.on('close', resolve));
    await new Promise((resolve) => ws.on('open', resolve));
    const frames = [
      { event: 'lock_fields', fields: { source: 'org.test.pad' } },
      { event: 'save', doc_id: 'd' },
      { event: 'no' },
      7,
    ];
    for (const frame of [...frames, { event: 'characterData' }, { event: 'terminate' }])
      ws.send(JSON.stringify(frame));
    await closed;
    const { edges } = server.ingest.counts();
    expect(edges).toEqual({
      socket: { received: 10, stored: 2, duplicate: 1, bad: 4, declined: 1, refused: 2 },
      http: { received: 5, stored: 2, duplicate: 1, bad: 1, declined: 1, refused: 0 },
      'learning-observer': { received: 4, stored: 1, duplicate: 0, bad: 2, declined: 1, refused: 0 },
    });
    for (const { received, ...ends } of Object.values(edges)) {
      expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(received);
    }
    const entries = await server.entries();
    expect(entries.flatMap(({ ev }) => ev ?? [])).toHaveLength(5);
    expect(entries.filter(({ k }) => k === 'bad')).toHaveLength(7);
  });
});
