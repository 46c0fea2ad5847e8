import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectBatches, connectObserver, upgrade } from './clients.ts';
import { ADA, EXTENSION, openSchool, type School } from './school.ts';

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
