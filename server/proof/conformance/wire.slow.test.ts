import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchClient, connectBatches, connectObserver, type ObserverClient } from './clients.ts';
import { ADA, DOMAIN, KNOWN, openSchool, type School } from './school.ts';

const DOCS = 'org.mitros.writing_analytics';
const lock = (fields: object) => ({ event: 'lock_fields', fields, metadata: {} });
const SOURCE = lock({ source: DOCS, version: '1.0.0.2' });
const identity = (id: string) =>
  lock({ chrome_identity: { email: `x@${DOMAIN}`, id }, localStorageInfo: null });
const save = (doc: string, s: string, more: object = {}) => ({
  event: 'google_docs_save',
  doc_id: doc,
  url: `https://docs.google.com/document/d/${doc}/save?token=tok-secret&sid=sid-secret`,
  bundles: [{ commands: [{ ty: 'is', ibi: 1, s }], sid: 'x', reqId: 1 }],
  rev: ['1'],
  timestamp: Date.now(),
  metadata: { iso_ts: new Date().toISOString() },
  ...more,
});

let school: School;
beforeAll(async () => {
  school = await openSchool();
}, 120_000);
afterAll(() => school.close());

const docsIn = () =>
  school
    .archive()
    .entries.filter(({ k, src }) => k === 'batch' && src === DOCS)
    .flatMap(({ s, ev }) => (ev ?? []).map(({ event, body }) => ({ student: s, event, body })));
const ofDoc = (doc: string) => docsIn().filter(({ body }) => body.doc_id === doc);
const known = async (id: string = KNOWN.ada): Promise<ObserverClient> => {
  const client = await connectObserver(school);
  client.send(SOURCE, identity(id));
  return client;
};
const restart = async () => {
  await school.kill();
  const found = docsIn();
  await school.start();
  return found;
};

describe('the old protocol on the running server', () => {
  it('A03 A04 A20 A21 A24 keeps across a kill what it said was kept', async () => {
    const client = await connectObserver(school);
    client.send(
      { event: 'extension_loaded' },
      SOURCE,
      identity(KNOWN.ada),
      lock({ activity: 'essay', answers: 'all' }),
    );
    for (let n = 0; n < 50; n += 1) client.send(save('a21', String(n)));
    client.send({ event: 'save_blob', blob: { n: 1 } }, { event: 'save_blob', blob: { n: 2 } });
    expect(await client.fetch({ reduxID: 'r1' })).toMatchObject({ data: { n: 2 }, reduxID: 'r1' });
    expect(client.told[0]).toMatchObject({
      status: 'auth',
      user_id: school.idOf(ADA),
      user: school.idOf(ADA),
      identity: 'claimed',
    });
    client.send({ event: 'save_blob', blob: 'pending' });
    await expect
      .poll(() => client.told.findLast(({ result }) => result === 'stored')?.frame, { timeout: 6_000 })
      .toBeGreaterThanOrEqual(58);
    const found = await restart();
    const own = found.filter(({ student }) => student === school.idOf(ADA));
    expect(own[0]?.event).toBe('extension_loaded');
    expect(own.filter(({ body }) => body.doc_id === 'a21')).toHaveLength(50);
    const again = await known();
    again.send(lock({ activity: 'essay' }));
    expect(await again.fetch()).toMatchObject({ data: 'pending' });
    again.send(lock({ activity: 'other' }));
    expect(await again.fetch()).toMatchObject({ data: null });
    again.ws.close();
  });

  it('A27 writes no token, no session and no key that was pressed to the disk', async () => {
    const client = await known();
    const keystroke = { type: 'keydown', key: 'q', code: 'KeyQ', keyCode: 81, timeStamp: 1 };
    const object = { id: 'a27', url: 'https://docs.google.com/document/d/a27/edit?token=tok-secret' };
    client.send(save('a27', 'x'), { event: 'keystroke', object, keystroke, metadata: {} });
    await client.fetch();
    const bytes = everyByte(school.archiveDir);
    for (const secret of ['tok-secret', 'sid-secret', 'KeyQ', '"keyCode":81'])
      expect(bytes).not.toContain(secret);
    const pressed = docsIn().find(({ event }) => event === 'keystroke');
    expect(JSON.stringify(pressed?.body)).toContain('"class":"letter"');
  });

  it('A28 takes odd document ids for one student’s keys, and no foreign key is touched', async () => {
    const client = await known();
    const ids = ['a,b', 'a:student=x', '../a', 'a/b', '..', 'x'.repeat(300), 'a\r\nb', 'x'.repeat(301)];
    for (const id of ids) client.send(save(id, 'x'));
    client.send('{"event":"save_blob","activity":"a","blob":{"__proto__":1}}');
    await client.fetch();
    expect(
      client
        .codes()
        .map(String)
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['forbidden-key', 'key-field-invalid', 'key-field-invalid']);
    for (const id of ids.slice(0, 6))
      expect(ofDoc(id).map(({ student }) => student)).toEqual([school.idOf(ADA)]);
  });

  it('A29 takes a client back that is cut, with what it kept meanwhile, before it says who it is', async () => {
    const client = eventClient();
    await client.connect();
    client.report(save('a29', '0'));
    client.report(save('a29', '1'));
    await client.barrier();
    client.cut();
    client.report(save('a29', '2'));
    client.report(save('a29', '3'));
    await client.connect();
    client.report(save('a29', '4'));
    await client.barrier();
    const texts = ofDoc('a29').map(({ body }) => JSON.stringify(body).match(/"s":"(\d)"/)?.[1]);
    expect(texts).toEqual(['0', '1', '2', '3', '4']);
  });
});

/** As the predecessor's own client behaves: it sends at once, keeps what it cannot send, and after a cut empties that first. */
function eventClient() {
  let socket: ObserverClient | undefined;
  let backlog: object[] = [];
  return {
    async connect() {
      socket = await connectObserver(school);
      socket.send(...backlog);
      backlog = [];
      socket.send(lock({ source: DOCS, chrome_identity: { email: `x@${DOMAIN}`, id: KNOWN.ada } }));
    },
    report(event: object) {
      if (socket) socket.send(event);
      else backlog.push(event);
    },
    cut() {
      socket?.ws.terminate();
      socket = undefined;
    },
    barrier: () => socket?.fetch(),
  };
}

function everyByte(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join('\n');
}

const PRODUCER = 'conformanceAAAAAAAAAAA';
/** What is sent again is the same, its time too. */
const CAPTURED = Date.now();
const hello = (more: object = {}) => ({
  v: 1,
  type: 'hello',
  producer: PRODUCER,
  epoch: 1,
  oldest: 1,
  now: Date.now(),
  ...more,
});
const batch = (from: number, count: number) => ({
  v: 1,
  type: 'events',
  producer: PRODUCER,
  epoch: 1,
  from,
  source: DOCS,
  events: Array.from({ length: count }, (_none, i) => {
    const { event, metadata: _, ...body } = save('b04', String(from + i), { timestamp: CAPTURED });
    return { event, sentAt: CAPTURED, body };
  }),
});

describe('part B and D on the running server', () => {
  it('B01 B04 wants nothing twice after a kill, and stores nothing twice', async () => {
    const token = await school.token(ADA);
    let client: BatchClient = await connectBatches(school, { token });
    expect(await client.ask(hello())).toMatchObject({ type: 'welcome', next: 1 });
    expect(await client.ask(batch(1, 3))).toMatchObject({ type: 'stored', upTo: 3 });
    client.socket.emit('m', JSON.stringify(batch(4, 5)), () => {});
    await new Promise((done) => setTimeout(done, 3));
    await school.kill();
    client.socket.close();
    const there = ofDoc('b04').length;
    await school.start();
    client = await connectBatches(school, { token });
    const welcome = await client.ask(hello());
    expect(welcome.next).toBe(there + 1);
    expect(await client.ask(batch(1, 8))).toMatchObject({ type: 'stored', upTo: 8, bad: [] });
    client.socket.close();
    expect(ofDoc('b04')).toHaveLength(8);
  });

  it('D01 D03 stores over the real route once, and refuses what is none', async () => {
    const token = await school.token(ADA);
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${school.url}/api/events`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      });
    const body = JSON.stringify({
      ...batch(1, 2),
      producer: 'conformanceBBBBBBBBBBB',
      oldest: 1,
      now: Date.now(),
    });
    for (let k = 0; k < 2; k += 1) {
      const answer = await post(body);
      expect([answer.status, await answer.json()]).toMatchObject([200, { type: 'stored', upTo: 2 }]);
    }
    const cookie = await school.cookie(ADA);
    expect((await post(body, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(body, { authorization: '' })).status).toBe(401);
    expect((await post(body, { authorization: '', cookie, origin: school.origin })).status).toBe(401);
    const tooMany = JSON.stringify({ ...batch(1, 501), oldest: 1, now: Date.now() });
    expect((await post(tooMany)).status).toBe(413);
  });
});
