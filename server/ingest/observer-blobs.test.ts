import { afterEach, describe, expect, it } from 'vitest';
import type { TestServer, TestServerOptions } from './ingest-server.bench.ts';
import {
  CLAIM,
  type Client,
  codes,
  connectPlain,
  SOURCE,
  startObserver,
  type Told,
} from './observer.testing.ts';

let server: TestServer;
afterEach(() => server.close());

const ACTIVITY = { event: 'lock_fields', fields: { source: 'org.test.pad', activity: 'essay' } };
const FETCH = { event: 'fetch_blob', reduxID: 'r1' };
const save = (blob: unknown, more: object = {}) => ({ event: 'save_blob', blob, ...more });
const open = async (options?: TestServerOptions): Promise<Client> => {
  server = await startObserver(options);
  return connectPlain(server);
};
const fetched = async (client: Client, count = 1): Promise<Told> => {
  client.send(FETCH);
  return client.next('fetch_blob', count);
};
const saved = async () =>
  (await server.everything()).flatMap((entry) => (entry.src === 'blob' ? (entry.ev ?? []) : []));

describe('A20 a blob', () => {
  it('is the last that was saved, in one event, and is written before it is fetched', async () => {
    const client = await open();
    client.send(CLAIM, ACTIVITY, save({ n: 1 }), save({ n: 2 }), save({ n: 3 }));
    expect(await fetched(client)).toMatchObject({ data: { n: 3 }, reduxID: 'r1', frame: 6 });
    expect((await saved()).map(({ body }) => body)).toEqual([
      { tool: 'org.test.pad', activity: 'essay', json: '{"n":3}' },
    ]);
    client.send(save(null));
    expect((await fetched(client, 2)).data).toBe(null);
    expect(await saved()).toHaveLength(2);
    expect(server.ingest.counts().edges['learning-observer']).toMatchObject({ received: 4, stored: 4 });
  });

  it('is nothing before it was saved, and is of one student, source and activity', async () => {
    const client = await open();
    client.send(SOURCE, CLAIM, save('mine', { activity: 'a' }));
    expect((await fetched(client)).code).toBe('field-missing');
    client.send({ event: 'fetch_blob', activity: 'a' });
    expect((await client.next('fetch_blob', 2)).data).toBe('mine');
    client.send({ event: 'fetch_blob', activity: 'b' });
    expect(await client.next('fetch_blob', 3)).toMatchObject({ data: null });
    const bo = await connectPlain(server);
    bo.send({
      event: 'lock_fields',
      fields: { ...ACTIVITY.fields, chrome_identity: { id: '22', email: '' } },
    });
    bo.send({ event: 'fetch_blob', activity: 'a' });
    expect((await bo.next('fetch_blob')).data).toBe(null);
  });

  it('is written when its socket terminates or closes, and after two seconds', async () => {
    const client = await open();
    client.send(CLAIM, ACTIVITY, save(1), { event: 'terminate' });
    expect(await client.closed).toBe(1000);
    expect(await saved()).toHaveLength(1);
    const second = await connectPlain(server);
    second.send(CLAIM, ACTIVITY, save(2));
    await second.next('auth');
    second.ws.close();
    await expect.poll(async () => (await saved()).length).toBe(2);
    const third = await connectPlain(server);
    third.send(CLAIM, ACTIVITY, save(3));
    await expect.poll(async () => (await saved()).length, { timeout: 4_000 }).toBe(3);
  });

  it('that lacks something is a bad row without its value, and the socket lives', async () => {
    const client = await open();
    client.send(CLAIM);
    await client.next('auth');
    client.send(save('x', { activity: 'a' }), SOURCE, save('secret words'));
    client.send({ event: 'save_blob', activity: 'a' }, save('y', { activity: 'a\nb' }));
    client.send(save('z'.repeat(256 * 1024), { activity: 'a' }), save('secret', { activity: 7 }));
    client.send('{"event":"save_blob","activity":"a","blob":{"__proto__":1}}');
    expect(await fetched(client)).toMatchObject({ data: null, code: 'field-missing' });
    expect(
      codes(client)
        .map(String)
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual([
      'event-too-big',
      'field-missing',
      'field-missing',
      'field-missing',
      'forbidden-key',
      'key-field-invalid',
      'key-field-invalid',
    ]);
    const rows = (await server.entries()).filter(({ k }) => k === 'bad');
    expect(rows).toHaveLength(7);
    expect(JSON.stringify(rows)).not.toContain('secret');
  });

  it('waits for room on the disk, and the last one is kept', async () => {
    const client = await open();
    server.world.refuse = 'disk-full';
    client.send(CLAIM, ACTIVITY, save(1));
    await client.next('auth');
    client.send(save(2), FETCH);
    await expect.poll(() => client.told.length).toBe(1);
    server.world.refuse = null;
    expect((await client.next('fetch_blob')).data).toBe(2);
  });

  it('must not be collected where nothing may be', async () => {
    const client = await open();
    server.world.decide = () => 'collection-off';
    client.send(CLAIM, ACTIVITY, save({ private: 1 }));
    expect((await fetched(client)).data).toBe(null);
    expect(codes(client)).toEqual(['collection-off']);
    expect(await saved()).toEqual([]);
  });

  it('may hold what a state would take for a text of its own', async () => {
    const client = await open();
    const odd = { $text: { s: 'x' }, c: ['\u0000'] };
    client.send(CLAIM, ACTIVITY, save(odd));
    expect((await fetched(client)).data).toEqual({ $text: { s: 'x' }, c: ['\ufffd'] });
  });
});
