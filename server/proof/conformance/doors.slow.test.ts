import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectBatches, connectObserver, upgrade } from './clients.ts';
import { ADA, BO, DOMAIN, EXTENSION, KNOWN, openSchool, type School } from './school.ts';

let school: School;
beforeAll(async () => {
  school = await openSchool();
}, 120_000);
afterAll(() => school.close());

const SOCKET_IO = '/socket.io/?EIO=4&transport=websocket';
const PLAIN = '/wsapi/in/';

describe('W1 an origin', () => {
  it('passes byte for byte or not at all, on every edge, whatever else proves somebody', async () => {
    const { port } = school;
    const own = `http://localhost:${port}`;
    const wrong = [
      'null',
      '',
      '*',
      `${own}.evil.test`,
      `http://evil.test/${own}`,
      `${own}/`,
      `${own}/wsapi/in/`,
      `HTTP://localhost:${port}`,
      `http://LOCALHOST:${port}`,
      `https://localhost:${port}`,
      'http://localhost',
      `http://localhost:${port + 1}`,
      `http://xn--lcalhost-2ig:${port}`,
      `http://127.0.0.2:${port}`,
      `http://evil.test`,
      `${own}, http://evil.test`,
      `${EXTENSION}x`,
      EXTENSION.replace('chrome', 'moz'),
      EXTENSION.slice(0, -1),
      'file://',
    ];
    const proofs: readonly Record<string, string>[] = [
      { authorization: `Bearer ${await school.token(ADA)}` },
      { cookie: await school.cookie(ADA) },
    ];
    const seen: [string, string, string][] = [];
    for (const origin of wrong)
      for (const path of [SOCKET_IO, PLAIN, '/wsapi/in'])
        for (const proof of proofs) {
          const answer = await upgrade(port, path, { ...proof, Origin: origin });
          if (answer !== '403') seen.push([origin, path, answer]);
        }
    expect(seen).toEqual([]);
    for (const path of [SOCKET_IO, PLAIN])
      for (const origin of [own, `http://127.0.0.1:${port}`, EXTENSION])
        expect([origin, path, await upgrade(port, path, { Origin: origin })]).toEqual([origin, path, '101']);
    for (const path of [SOCKET_IO, PLAIN]) expect(await upgrade(port, path, {})).toBe('101');
  });

  it('that is none or an extension’s makes a cookie prove nothing, our own page makes it prove somebody', async () => {
    const cookie = await school.cookie(ADA);
    const SAID = { event: 'fetch_blob' };
    for (const headers of [{ cookie }, { cookie, origin: EXTENSION }]) {
      const client = await connectObserver(school, { headers: headers as Record<string, string> });
      client.send(SAID);
      expect((await client.fetch()).code).toBe('anonymous');
      client.ws.close();
      await expect(connectBatches(school, {}, headers as Record<string, string>)).rejects.toMatchObject({
        data: { code: 'unauthenticated' },
      });
    }
    const client = await connectObserver(school, { headers: { cookie, origin: school.origin } });
    await client.fetch();
    expect(client.told[0]).toMatchObject({ status: 'auth', user_id: school.idOf(ADA), identity: 'verified' });
    client.ws.close();
    const batches = await connectBatches(school, {}, { cookie, origin: school.origin });
    batches.socket.close();
  });

  it('makes no difference to polling: there is none', async () => {
    for (const origin of [school.origin, 'http://evil.test']) {
      const answer = await fetch(`${school.origin}/socket.io/?EIO=4&transport=polling`, {
        headers: { origin },
      });
      expect(answer.status).toBe(400);
    }
  });
});

describe('W3 an upgrade', () => {
  it('of any other target or host is cut without a byte, and no request leaves the process', async () => {
    const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const elsewhere = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    let connections = 0;
    listener.on('connection', () => (connections += 1));
    const host = `localhost:${school.port}`;
    const targets = [
      `http://${elsewhere}/wsapi/in/`,
      `http://${host}/wsapi/in/`,
      `//${elsewhere}/wsapi/in/`,
      '//wsapi/in/',
      '/wsapi//in/',
      '/wsapi/other',
      '/wsapi/in/x',
      '/wsapi',
      '/socket.io',
      '/socket.iox/',
      '/api/events',
      '/',
      '*',
      '/_next/webpack-hmr',
      '/%77sapi/in/',
      '/wsapi/in/../in/',
      `http://${elsewhere}/socket.io/`,
    ];
    for (const target of targets)
      expect([target, await upgrade(school.port, target, {})]).toEqual([target, 'cut']);
    expect(await upgrade(school.port, '\\wsapi\\in\\', {})).toMatch(/^(cut|400)$/);
    for (const Host of ['evil.test', elsewhere, `${host}.evil.test`, '', 'localhost'])
      expect([Host, await upgrade(school.port, PLAIN, { Host, 'X-Forwarded-Host': host })]).toEqual([
        Host,
        Host === '' ? expect.stringMatching(/^(cut|400)$/) : 'cut',
      ]);
    for (const name of ['X-Forwarded-Host', 'Forwarded', 'X-Original-URL', 'X-Rewrite-URL'])
      expect(await upgrade(school.port, '/wsapi/other', { [name]: `http://${elsewhere}/wsapi/in/` })).toBe(
        'cut',
      );
    expect(connections).toBe(0);
    listener.close();
  });
});

/** Every page and route that the tree holds, with something in the place of each parameter. */
function routes(): string[] {
  const app = join(import.meta.dirname, '..', '..', '..', 'app');
  return readdirSync(app, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name === 'page.tsx' || name === 'route.ts')
    .map(({ parentPath }) => parentPath.slice(app.length))
    .map((path) => path.replaceAll(/\/\([^)]*\)/g, '').replaceAll(/\[[^\]]*\]/g, 'x') || '/');
}

describe('W5 every answer', () => {
  it('carries the headers of the house, and every cookie its flags, on each route and off them', async () => {
    const cookie = await school.cookie('teacher@demo.test');
    const paths = [...routes(), '/nothing', '/api/nothing', '/favicon.ico', '/_next/static/nothing.js'];
    expect(paths.length).toBeGreaterThan(15);
    for (const path of paths)
      for (const headers of [{}, { cookie }] as Record<string, string>[]) {
        const answer = await fetch(`${school.origin}${path}`, { headers, redirect: 'manual' });
        expect([path, Object.fromEntries(answer.headers)]).toMatchObject([
          path,
          {
            'content-security-policy': expect.stringMatching(
              /^default-src 'none'; script-src 'nonce-[^']+' 'strict-dynamic'/,
            ),
            'x-content-type-options': 'nosniff',
            'referrer-policy': 'same-origin',
            'permissions-policy': expect.stringContaining('camera=()'),
            'cross-origin-opener-policy': 'same-origin',
            'cross-origin-resource-policy': 'same-origin',
          },
        ]);
        expect([path, answer.headers.get('x-powered-by')]).toEqual([path, null]);
        if (!path.startsWith('/_next/static/'))
          expect([path, answer.headers.get('cache-control')]).toEqual([
            path,
            expect.stringContaining('no-store'),
          ]);
        for (const set of answer.headers.getSetCookie())
          expect([path, set]).toEqual([
            path,
            expect.stringMatching(/HttpOnly.*SameSite=Lax|SameSite=Lax.*HttpOnly/i),
          ]);
      }
    const other = await upgrade(school.port, '/api/health', {
      Host: 'evil.test',
      Upgrade: 'none',
      Connection: 'close',
    });
    expect(other).toBe('421');
  });
});

const DOCS = 'org.mitros.writing_analytics';
const event = (tag: string, more: object = {}) => ({
  event: 'google_docs_save',
  doc_id: 'a3',
  bundles: [{ commands: [{ ty: 'is', ibi: 1, s: tag }] }],
  ...more,
});

describe('A3 whoever writes as another', () => {
  it('writes as herself, in 30 ways over three edges', async () => {
    const [ada, bo] = [school.idOf(ADA), school.idOf(BO)];
    const [token, boToken, boCookie] = [
      await school.token(ADA),
      await school.token(BO),
      await school.cookie(BO),
    ];
    const authorization = `Bearer ${token}`;
    let sent = 0;
    const tag = () => {
      sent += 1;
      return `way-${sent}`;
    };
    const NAMES = [
      'auth',
      'user_id',
      'safe_user_id',
      'student',
      'student_id',
      'sec',
      'providence',
      'id',
      'at',
      'user',
    ];
    const onObserver = async (
      headers: Record<string, string>,
      path: string,
      ...before: (object | string)[]
    ) => {
      const client = await connectObserver(school, { path, headers: { authorization, ...headers } });
      client.send({ event: 'lock_fields', fields: { source: DOCS } }, ...before, event(tag()));
      await client.fetch();
      client.ws.close();
    };
    const lock = (fields: object) => ({ event: 'lock_fields', fields });
    // The old protocol: ten names in a body, ten locked, proofs of another after one's own.
    for (const name of NAMES) {
      const client = await connectObserver(school, { headers: { authorization } });
      client.send(lock({ source: DOCS }), event(tag(), { [name]: bo }));
      await client.fetch();
      client.ws.close();
    }
    await onObserver({}, PLAIN, lock(Object.fromEntries(NAMES.map((name) => [name, bo]))));
    await onObserver({}, PLAIN, lock({ ingest_token: boToken }));
    await onObserver({}, PLAIN, lock({ chrome_identity: { email: `x@${DOMAIN}`, id: KNOWN.bo } }));
    await onObserver({}, PLAIN, lock({ user_tag: bo }), { event: 'hash_auth', hash: bo });
    await onObserver({}, PLAIN, { event: 'test_framework_fake_identity', user_id: bo });
    await onObserver({ cookie: boCookie }, PLAIN);
    await onObserver({ cookie: boCookie, origin: school.origin }, PLAIN);
    await onObserver({ 'x-user': bo, 'x-forwarded-user': bo, 'x-remote-user': bo, 'remote-user': bo }, PLAIN);
    await onObserver({}, `${PLAIN}?user_id=${bo}&student=${bo}&token=${boToken}`);
    await onObserver({}, PLAIN, `{"event":"lock_fields","fields":{"\\u005f_proto__":{"student":"${bo}"}}}`);
    // Part B: two proofs, a producer of another, a token of another in the middle, names in envelope and body.
    const sentBy = (more: object = {}, inEvent: object = {}) => {
      const { event: name, ...body } = event(tag(), inEvent);
      return {
        v: 1,
        type: 'events',
        epoch: 1,
        from: 1,
        source: DOCS,
        events: [{ event: name, sentAt: Date.now(), body, ...inEvent }],
        ...more,
      };
    };
    const hello = (producer: string) => ({
      v: 1,
      type: 'hello',
      producer,
      epoch: 1,
      oldest: 1,
      now: Date.now(),
    });
    const batches = async (
      producer: string,
      auth: object,
      headers: Record<string, string>,
      message: object,
    ) => {
      const client = await connectBatches(school, { token, ...auth }, headers);
      await client.ask(hello(producer));
      expect(await client.ask({ ...message, producer })).toMatchObject({ type: 'stored', bad: [] });
      return client;
    };
    const close = ({ socket }: { socket: { close(): unknown } }) => socket.close();
    close(
      await batches(
        'a3AAAAAAAAAAAAAAAAAAAA',
        { student: bo, user_id: bo },
        {},
        sentBy({ student: bo, identity: bo }),
      ),
    );
    close(
      await batches(
        'a3BBBBBBBBBBBBBBBBBBBB',
        {},
        { cookie: boCookie, origin: school.origin },
        sentBy({}, { student: bo, id: `${bo}:1:1` }),
      ),
    );
    const mid = await batches('a3CCCCCCCCCCCCCCCCCCCC', {}, {}, sentBy());
    expect(await mid.ask({ v: 1, type: 'token', token: boToken })).toMatchObject({
      type: 'refused',
      code: 'unauthenticated',
    });
    close(mid);
    const other = await connectBatches(school, { token });
    const bos = await connectBatches(school, { token: boToken });
    await bos.ask(hello('a3DDDDDDDDDDDDDDDDDDDD'));
    expect(
      (await bos.ask({ ...sentBy({}, { doc_id: 'of-bo' }), producer: 'a3DDDDDDDDDDDDDDDDDDDD' })).type,
    ).toBe('stored');
    sent -= 1;
    expect(await other.ask(hello('a3DDDDDDDDDDDDDDDDDDDD'))).toMatchObject({ code: 'forbidden' });
    close(other);
    close(bos);
    await expect(connectBatches(school, { token: unsigned(token, bo) })).rejects.toMatchObject({
      data: { code: 'unauthenticated' },
    });
    // Over HTTP: query, cookie, headers and an unsigned token.
    const post = (query: string, headers: Record<string, string>, producer: string) =>
      fetch(`${school.origin}/api/events${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization, ...headers },
        body: JSON.stringify({ ...sentBy({ student: bo }), producer, oldest: 1, now: Date.now() }),
      });
    expect((await post(`?student=${bo}`, {}, 'a3EEEEEEEEEEEEEEEEEEEE')).status).toBe(200);
    expect(
      (await post('', { cookie: boCookie, origin: school.origin, 'x-user': bo }, 'a3FFFFFFFFFFFFFFFFFFFF'))
        .status,
    ).toBe(200);
    for (const forged of [unsigned(token, bo), `${boToken}x`, 'x'])
      expect((await post('', { authorization: `Bearer ${forged}` }, 'a3GGGGGGGGGGGGGGGGGGGG')).status).toBe(
        401,
      );
    sent -= 3;
    const stored = school
      .archive()
      .entries.flatMap(({ s, src, ev }) =>
        src === DOCS ? (ev ?? []).map(({ body }) => ({ s, doc: body.doc_id })) : [],
      );
    expect(stored.filter(({ s }) => s === bo)).toEqual([{ s: bo, doc: 'of-bo' }]);
    expect(stored.filter(({ s }) => s === ada)).toHaveLength(sent);
  });
});

/** The claims of a token with another subject and the algorithm `none`. */
function unsigned(token: string, subject: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, sub: subject })}.`;
}
