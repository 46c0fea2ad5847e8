import { afterEach, describe, expect, it } from 'vitest';
import {
  ask,
  batch,
  connected,
  hello,
  openTestServer,
  PRODUCER,
  save,
  type TestServer,
  type TestServerOptions,
} from './ingest-server.bench.ts';

const open: TestServer[] = [];
async function start(options?: TestServerOptions): Promise<TestServer> {
  const server = await openTestServer(options);
  open.push(server);
  return server;
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

describe('/ingest over Socket.IO', () => {
  it('B01 stores what is new and acknowledges what it has', async () => {
    const server = await start();
    const socket = server.connect();
    expect(await ask(socket, hello())).toMatchObject({ type: 'welcome', next: 1 });
    const events = [save(1), save(2), save(3)];
    expect(await ask(socket, batch(1, events))).toEqual({ type: 'stored', upTo: 3, bad: [] });
    expect(await ask(socket, batch(1, events))).toEqual({ type: 'stored', upTo: 3, bad: [] });
    const entries = await server.entries();
    expect(entries.flatMap((entry) => entry.ev ?? [])).toHaveLength(3);
    expect(entries[0]).toMatchObject({ k: 'batch', s: 'ada', p: PRODUCER, e: 1, f: 1, src: 'org.test.pad' });
    expect(Buffer.from(entries[0]?.h ?? '', 'base64')).toHaveLength(48);
  });

  it('B02 keeps an event of a bad shape as a bad row at its seq and stores its neighbours', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    const events = [save(1), save(2), save(3, { body: { doc_id: 7 } }), save(4), save(5)];
    const answer = await ask(socket, batch(1, events));
    expect(answer).toMatchObject({
      type: 'stored',
      upTo: 5,
      bad: [{ seq: 3, code: 'schema', message: 'doc_id is wrong' }],
    });
    const entries = await server.entries();
    expect(entries.map((entry) => [entry.k, entry.f, entry.ev?.length ?? entry.bad?.code])).toEqual([
      ['batch', 1, 2],
      ['bad', 3, 'schema'],
      ['batch', 4, 2],
    ]);
    expect(await ask(socket, batch(3, events.slice(2, 3)))).toEqual({ type: 'stored', upTo: 3, bad: [] });
    expect(await server.entries()).toHaveLength(3);
  });

  it('B03 refuses a gap and keeps the first of two contents under one seq', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    await ask(socket, batch(1, [save(1), save(2), save(3)]));
    expect(await ask(socket, batch(9, [save(9)]))).toMatchObject({
      type: 'refused',
      code: 'gap',
      expected: 4,
    });
    expect(await ask(socket, batch(2, [save(22)]))).toMatchObject({
      upTo: 2,
      bad: [{ seq: 2, code: 'id-conflict' }],
    });
    const entries = await server.entries();
    expect(entries.flatMap((entry) => entry.ev ?? []).map(({ body }) => body.n)).toEqual([1, 2, 3]);
    expect(entries.at(-1)).toMatchObject({ k: 'bad', f: 2, bad: { code: 'id-conflict' } });
    expect(await ask(socket, batch(4, [save(4)]))).toMatchObject({ upTo: 4, bad: [] });
  });

  it('B05 refuses an old epoch and another student, and notes what the client lost', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    await ask(socket, batch(1, [save(1), save(2), save(3)]));
    expect(await ask(socket, hello({ oldest: 10 }))).toMatchObject({ type: 'welcome', next: 10 });
    const lost = (await server.everything())
      .flatMap((entry) => entry.ev ?? [])
      .find(({ event }) => event === 'lost');
    expect(lost?.body).toEqual({ count: 6 });
    expect(await ask(socket, hello({ epoch: 2 }))).toMatchObject({ type: 'welcome', next: 1 });
    expect(await ask(socket, hello())).toMatchObject({ type: 'refused', code: 'conflict' });
    const bo = server.connect({ token: 'token-bo' });
    expect(await ask(bo, hello())).toMatchObject({ type: 'refused', code: 'forbidden' });
  });

  it('B06 gives a reason for each broken frame and goes on', async () => {
    const server = await start();
    const socket = server.connect();
    expect(await ask(socket, batch(1, [save(1)]))).toMatchObject({ type: 'refused', code: 'invalid' });
    for (const oldest of ['1', -1, 1.5, 2 ** 53]) {
      expect(await ask(socket, hello({ oldest }))).toMatchObject({ type: 'refused', code: 'invalid' });
    }
    await ask(socket, hello());
    const many = Array.from({ length: 65 }, (_, n) => save(n));
    const large = batch(1, [save(1, { body: { doc_id: 'd', text: 'x'.repeat(65 * 1024) } })]);
    expect(await ask(socket, '[')).toMatchObject({ type: 'bad-frame', code: 'not-json' });
    expect(await ask(socket, batch(1, many))).toMatchObject({ type: 'bad-frame', code: 'batch-too-long' });
    expect(await ask(socket, large)).toMatchObject({ type: 'bad-frame', code: 'event-too-big' });
    expect(await ask(socket, batch(1, [save(1)]))).toEqual({ type: 'stored', upTo: 1, bad: [] });
    const bad = (await server.entries()).filter((entry) => entry.k === 'bad');
    expect(bad.map((entry) => [entry.bad?.code, entry.f])).toEqual([
      ['not-json', undefined],
      ['batch-too-long', undefined],
      ['event-too-big', undefined],
    ]);
    expect(bad[2]?.bad).toMatchObject({
      bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(bad[2]?.bad?.original).toHaveLength(4096);
  });

  it('B09 slows a fast student down, then refuses, and loses nothing to a full disk', async () => {
    const server = await start({ limits: { burst: 10, eventsPerSecond: 1 } });
    const socket = server.connect();
    await ask(socket, hello());
    expect(
      await ask(socket, batch(1, [save(1), save(2), save(3), save(4), save(5), save(6), save(7), save(8)])),
    ).toMatchObject({
      upTo: 8,
      slowDownMs: expect.any(Number),
    });
    expect(await ask(socket, batch(9, [save(9), save(10), save(11), save(12)]))).toMatchObject({
      type: 'refused',
      code: 'rate-limited',
      from: 9,
      retryAfterMs: expect.any(Number),
    });
    server.world.refuse = 'disk-full';
    expect(await ask(socket, batch(9, [save(9)]))).toMatchObject({ type: 'refused', code: 'disk-full' });
    server.world.refuse = null;
    expect(await ask(socket, batch(9, [save(9)]))).toMatchObject({ type: 'stored', upTo: 9 });
    expect((await server.entries()).flatMap((entry) => entry.ev ?? [])).toHaveLength(9);
  });

  it('B10 keeps a wrong clock beside the offset that corrects it', async () => {
    const server = await start();
    const socket = server.connect();
    const ahead = 600_000;
    await ask(socket, hello({ now: Date.now() + ahead }));
    const sentAt = Date.now() + ahead - 8 * 3_600_000;
    await ask(socket, batch(1, [save(1, { sentAt })]));
    const [entry] = await server.entries();
    expect(entry?.ev?.[0]?.sentAt).toBe(sentAt);
    expect(Math.abs((entry?.off ?? 0) + ahead)).toBeLessThan(1_000);
    expect(server.ingest.counts().notes).toEqual({});
  });

  it('stops the socket of a student that was silent longest when a fifth comes', async () => {
    const server = await start();
    const sockets = [];
    for (let i = 0; i < 4; i++) {
      const socket = server.connect();
      expect(await connected(socket)).toBeNull();
      await ask(socket, hello({ producer: `${i}`.repeat(22) }));
      sockets.push(socket);
    }
    const [first] = sockets;
    const stopped = new Promise((resolve) => first?.on('stop', resolve));
    const closed = new Promise((resolve) => first?.on('disconnect', resolve));
    expect(await connected(server.connect())).toBeNull();
    expect(await stopped).toEqual({ code: 'limited' });
    await closed;
    expect(sockets.slice(1).every((socket) => socket.connected)).toBe(true);
  });

  it('declines what must not be collected and keeps only a count', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    server.world.decide = (_student, at) => (at < Date.now() - 60_000 ? 'outside-window' : null);
    const early = save(2, { sentAt: Date.now() - 3_600_000, body: { doc_id: 'secret' } });
    const answer = await ask(
      socket,
      batch(1, [save(1), early, early, save(4), { ...save(5), event: 'characterData' }]),
    );
    expect(answer).toEqual({
      type: 'stored',
      upTo: 5,
      bad: [],
      declined: [
        { from: 2, to: 3, code: 'outside-window' },
        { from: 5, to: 5, code: 'source-not-allowed' },
      ],
    });
    const entries = await server.entries();
    expect(JSON.stringify(entries)).not.toContain('secret');
    expect(entries.map((entry) => [entry.f, entry.n, entry.declined])).toEqual([
      [1, undefined, undefined],
      [2, 2, 'outside-window'],
      [4, undefined, undefined],
      [5, 1, 'source-not-allowed'],
    ]);
    expect(await ask(socket, batch(2, [early]))).toMatchObject({
      declined: [{ from: 2, to: 2, code: 'outside-window' }],
    });
  });

  it('keeps nothing of a frame that cannot be read while nothing may be collected', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    server.world.decide = () => 'collection-off';
    expect(await ask(socket, '{"secret')).toMatchObject({ type: 'bad-frame', code: 'not-json' });
    expect(await server.entries()).toEqual([]);
    expect(server.ingest.counts().edges.socket).toMatchObject({ received: 1, bad: 1 });
  });

  it('takes no event of a source that is the server’s own', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    const body = { connection: 'c', edge: 'socket', identity: 'verified' };
    const forged = { ...save(1), event: 'connected', body };
    expect(await ask(socket, batch(1, [forged], { source: 'connection' }))).toMatchObject({
      bad: [{ seq: 1, code: 'unknown-source' }],
    });
  });

  it('writes that a connection came and went', async () => {
    const server = await start();
    const socket = server.connect({ token: 'token-ada', client: { name: 'pad', version: '1' } });
    await ask(socket, hello());
    socket.close();
    await expect
      .poll(async () =>
        (await server.everything()).flatMap((entry) => entry.ev ?? []).map(({ event }) => event),
      )
      .toEqual(['connected', 'disconnected']);
    const [entry] = await server.everything();
    expect(entry?.p).toMatch(/^~/);
    expect(entry?.ev?.[0]?.body).toMatchObject({
      edge: 'socket',
      identity: 'verified',
      client: { name: 'pad' },
    });
  });

  it('hands nothing of a subject, a NUL or a foreign key on', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    const body = { doc_id: 'd1', text: 'a\u0000b\ufdd0', student: 'bo', user_id: 'bo', other: 1 };
    await ask(socket, batch(1, [save(1, { body })]));
    const [entry] = await server.entries();
    expect(entry?.s).toBe('ada');
    expect(entry?.ev?.[0]?.body).toEqual({ doc_id: 'd1', text: 'a\ufffdb\ufffd' });
    expect(server.ingest.counts().notes).toEqual({ 'claim-mismatch': 1 });
    const wrongKey = await ask(
      socket,
      batch(2, [save(2, { body: { doc_id: 'a\r\nb' } }), save(3, { body: { doc_id: 'x'.repeat(301) } })]),
    );
    expect(wrongKey).toMatchObject({ bad: [{ code: 'key-field-invalid' }, { code: 'key-field-invalid' }] });
    expect(await ask(socket, batch(4, [save(4, { body: { doc_id: 'a,b:c/../d' } })]))).toMatchObject({
      bad: [],
    });
  });

  it('answers first and tells everybody when it stops', async () => {
    const server = await start();
    const socket = server.connect();
    await ask(socket, hello());
    const told = new Promise((resolve) => socket.on('going-away', resolve));
    const answer = ask(socket, batch(1, [save(1)]));
    await expect.poll(() => server.ingest.counts().edges.socket.received).toBe(1);
    await server.ingest.stop();
    expect(await answer).toMatchObject({ upTo: 1 });
    expect(await told).toEqual({ reconnectAfterMs: expect.any(Number) });
  });
});
