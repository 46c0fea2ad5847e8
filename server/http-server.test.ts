import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ADDRESS_HEADER } from './address.ts';
import { openHttpServer } from './http-server.ts';

let close = () => {};
afterEach(() => close());

/** A server that answers with the address that it takes the sender for; its hosts are the test’s to name. */
async function start(trusted: readonly string[]) {
  const hosts = new Set<string>();
  const rules = { hosts, ownOrigins: new Set<string>(), ingestOrigins: new Set<string>(), isDev: false };
  const http = openHttpServer({ ...rules, trustedProxies: new Set(trusted), isSecure: false });
  const none = () => {};
  http.serve((request, response) => void response.end(request.headers[ADDRESS_HEADER]), {
    'socket.io': none,
    'learning-observer': none,
    next: none,
  });
  http.server.listen(0, '127.0.0.1');
  await once(http.server, 'listening');
  close = () => {
    http.destroySockets();
    http.server.close();
  };
  const { port } = http.server.address() as AddressInfo;
  return { hosts, port, url: `http://127.0.0.1:${port}/` };
}

const forged = { [ADDRESS_HEADER]: '10.9.9.9', 'x-forwarded-for': '10.1.1.1' };

test('pages are told who sent a request by its connection, whatever the request says', async () => {
  const { url, hosts, port } = await start([]);
  hosts.add(`127.0.0.1:${port}`);
  expect(await (await fetch(url, { headers: forged })).text()).toBe('127.0.0.1');
});

test('a trusted proxy says who sent it', async () => {
  const { url, hosts, port } = await start(['127.0.0.1']);
  hosts.add(`127.0.0.1:${port}`);
  expect(await (await fetch(url, { headers: forged })).text()).toBe('10.1.1.1');
});

test('a request for another host is refused before any page hears of it', async () => {
  const { url } = await start([]);
  expect((await fetch(url)).status).toBe(421);
});
