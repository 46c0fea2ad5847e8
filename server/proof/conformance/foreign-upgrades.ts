/**
 * `node server/proof/conformance/foreign-upgrades.ts <address> <far address>`, in a network namespace whose every
 * address is local: starts the server and asks it in every way for an upgrade that leads elsewhere. Prints one line of JSON: what was answered, and how many connections and datagrams left the
 * server, as the kernel counts them for the namespace.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ask, upgrade } from './clients.ts';
import { openSchool } from './school.ts';

export type Foreign = {
  /** Requests for an upgrade that were not cut, with their answer. */
  readonly answered: readonly (readonly [target: string, answer: string])[];
  readonly asked: number;
  /** Connections that a listener on all addresses of the world saw. */
  readonly heard: number;
  /** TCP connections begun in the namespace beyond those of the client, and UDP datagrams sent. */
  readonly connections: number;
  readonly datagrams: number;
  /** The same counters after one connection and one datagram that were meant to be counted. */
  readonly control: readonly number[];
};

const [, , near = '127.0.0.1', far = '203.0.113.9'] = process.argv;
const school = await openSchool();
let heard = 0;
const listener = createServer((socket) => {
  heard += 1;
  socket.destroy();
}).listen(0, '0.0.0.0');
await once(listener, 'listening');
const address = listener.address();
const listening = typeof address === 'object' ? address?.port : 0;
const elsewhere = [`${near}:${listening}`, `${far}:${listening}`, `${far}:80`, 'evil.test'];
const own = `localhost:${school.port}`;

const answered: [string, string][] = [];
let asked = 0;
const before = counted();
for (const target of targets()) await expectCut(target, {});
for (const Host of [...elsewhere, `${own}.evil.test`, 'localhost', `${own}@${elsewhere[0]}`])
  for (const path of ['/wsapi/in/', '/socket.io/?EIO=4&transport=websocket']) {
    await expectCut(path, { Host });
    await expectCut(path, { Host, 'X-Forwarded-Host': own, Forwarded: `host=${own}` });
  }
for (const name of ['X-Forwarded-Host', 'Forwarded', 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Server'])
  for (const host of elsewhere) {
    await expectCut('/wsapi/other', { [name]: `http://${host}/wsapi/in/` });
    await expectCut('/wsapi/other', { [name]: host });
  }
// No upgrade, but the same wish: whatever is answered, nothing may be fetched for it.
for (const host of elsewhere)
  for (const line of [
    `GET http://${host}/ HTTP/1.1`,
    `GET //${host}/ HTTP/1.1`,
    `CONNECT ${host} HTTP/1.1`,
    `GET /_next/image?url=${encodeURIComponent(`http://${host}/a.png`)}&w=640&q=75 HTTP/1.1`,
  ]) {
    asked += 1;
    await ask(school.port, line, own);
  }
const after = counted();
// Shows that the counters would have told.
await fetch(`http://${elsewhere[0]}/`).catch(() => {});
const control = counted().connections - after.connections;
const found: Foreign = {
  answered,
  asked,
  heard: heard - 1,
  connections: after.connections - before.connections - asked,
  datagrams: after.datagrams - before.datagrams,
  control: [control, heard],
};
console.log(JSON.stringify(found));
await school.close();
process.exit(0);

async function expectCut(target: string, headers: Readonly<Record<string, string>>): Promise<void> {
  asked += 1;
  const answer = await upgrade(school.port, target, headers);
  if (answer !== 'cut' && answer !== '400') answered.push([`${target} ${JSON.stringify(headers)}`, answer]);
}

function targets(): string[] {
  const known = ['/wsapi/in/', '/socket.io/?EIO=4&transport=websocket'];
  const abroad = [...elsewhere, own].flatMap((host) =>
    known.flatMap((path) => [`http://${host}${path}`, `ws://${host}${path}`]),
  );
  const doubled = elsewhere.flatMap((host) => known.map((path) => `//${host}${path}`));
  return [
    ...abroad,
    ...doubled,
    ...routes(),
    '//wsapi/in/',
    '/wsapi//in/',
    '/wsapi/in/x',
    '/socket.iox/',
    '*',
    '/_next/webpack-hmr',
  ];
}

/** Every page and route that the tree holds, with something in the place of each parameter. */
function routes(): string[] {
  const app = join(import.meta.dirname, '..', '..', '..', 'app');
  return readdirSync(app, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name === 'page.tsx' || name === 'route.ts')
    .map(({ parentPath }) => parentPath.slice(app.length).replaceAll(/\/\([^)]*\)/g, ''))
    .map((path) => path.replaceAll(/\[[^\]]*\]/g, 'x') || '/');
}

/** What the kernel counted in this namespace: TCP connections begun, UDP datagrams sent. */
function counted(): { readonly connections: number; readonly datagrams: number } {
  const lines = readFileSync('/proc/self/net/snmp', 'utf8').split('\n');
  const value = (protocol: string, name: string) => {
    const [names = '', values = ''] = lines.filter((line) => line.startsWith(`${protocol}:`));
    return Number(values.split(' ')[names.split(' ').indexOf(name)]);
  };
  return { connections: value('Tcp', 'ActiveOpens'), datagrams: value('Udp', 'OutDatagrams') };
}
