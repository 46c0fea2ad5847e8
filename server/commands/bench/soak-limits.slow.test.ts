import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterEach, expect, test } from 'vitest';
import type { IngestLimits } from '#server/ingest/limits.ts';
import type { Answer } from '#server/ingest/protocol.ts';
import { openIngestClient } from '#server/simulate/ingest-client.ts';
import { batchOf, producerOf, tokenOf } from './soak-load.ts';
import { openSoakServer } from './soak-server.ts';

const { privateKey: key } = generateKeyPairSync('ed25519');
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function newFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'soak-limits-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function open(
  limits: Partial<IngestLimits> = {},
  trustedProxies: readonly string[] = [],
  directory = newFolder(),
) {
  const server = await openSoakServer({ directory, key, classes: 0, limits, trustedProxies });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  ends.push(close);
  return { ...server, close };
}

type From = {
  readonly port: number;
  readonly student: number;
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The open socket, or the code with which the handshake was refused. */
async function connect({
  port,
  student,
  address = '127.0.0.1',
  headers = {},
}: From): Promise<Socket | string> {
  // Not in the client's types: handed through to `ws`, and there to the socket.
  const local = { localAddress: address } as object;
  const socket = io(`http://127.0.0.1:${port}/ingest`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token: await tokenOf(key, student) },
    extraHeaders: { ...headers },
    ...local,
  });
  ends.push(() => socket.close());
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(socket));
    socket.on('connect_error', (error) =>
      resolve((error as { data?: { code?: string } }).data?.code ?? error.message),
    );
  });
}

const codeOf = (found: Socket | string) => (typeof found === 'string' ? found : 'welcome');

function ask(socket: Socket | string, message: object): Promise<Answer> {
  if (typeof socket === 'string') throw new Error(`not connected: ${socket}`);
  return new Promise((resolve) => socket.emit('m', JSON.stringify(message), resolve));
}

const hello = (producer: number) => ({
  v: 1,
  type: 'hello',
  producer: producerOf(producer),
  epoch: 1,
  oldest: 1,
  now: Date.now(),
});

test('a school of 1,000 that comes at once from behind one address is all welcome', async () => {
  const { port, ingest } = await open();
  const clients = Array.from({ length: 1_000 }, (_, n) => {
    const client = openIngestClient({
      url: `http://127.0.0.1:${port}`,
      token: () => tokenOf(key, n),
      name: 'school',
    });
    const body = { doc_id: `doc-${n}`, bundles: [{ commands: [{ ty: 'is', ibi: 1, s: 'a' }] }], rev: ['1'] };
    client.capture({
      source: 'org.mitros.writing_analytics',
      event: 'google_docs_save',
      sentAt: Date.now(),
      body,
    });
    return client;
  });
  ends.push(() => {
    for (const client of clients) client.close();
  });
  await Promise.all(clients.map((client) => client.settled()));
  expect(ingest.counts().edges.socket).toMatchObject({ stored: 1_000, bad: 0, declined: 0 });
  expect(new Set([...ingest.connections()].map(({ identity }) => identity.student)).size).toBe(1_000);
});

test('the limit of an address is exact, and no header of the sender moves it', async () => {
  const { port } = await open({ handshakesPerAddress: 25 });
  const found: string[] = [];
  for (let n = 0; n < 27; n++) {
    const forged = `10.1.${n}.1`;
    const headers = {
      'X-Forwarded-For': forged,
      'X-Client-Address': forged,
      Forwarded: `for=${forged}`,
      'X-Real-IP': forged,
    };
    found.push(codeOf(await connect({ port, student: n, address: '127.0.3.1', headers })));
  }
  expect(found).toEqual([...new Array(25).fill('welcome'), 'limited', 'limited']);
  expect(codeOf(await connect({ port, student: 40, address: '127.0.3.2' }))).toBe('welcome');
});

test('behind a trusted proxy the address that it saw is limited, and one that the sender put before it is not', async () => {
  const { port } = await open({ handshakesPerAddress: 3 }, ['127.0.4.1']);
  const through = async (seen: string, n: number) => {
    const headers = { 'X-Forwarded-For': `10.9.${n}.9, ${seen}` };
    return codeOf(await connect({ port, student: n, address: '127.0.4.1', headers }));
  };
  const found: string[] = [];
  for (let n = 0; n < 4; n++) found.push(await through('10.0.0.1', n));
  expect(found).toEqual(['welcome', 'welcome', 'welcome', 'limited']);
  expect(await through('10.0.0.2', 50)).toBe('welcome');
});

test('the handshakes of a student are counted over all addresses and connections', async () => {
  const { port } = await open({ handshakesPerStudent: 8 });
  const found: string[] = [];
  for (let n = 0; n < 9; n++) {
    const socket = await connect({ port, student: 7, address: `127.0.5.${n + 1}` });
    found.push(codeOf(socket));
    if (typeof socket !== 'string') socket.close();
  }
  expect(found).toEqual([...new Array(8).fill('welcome'), 'limited']);
  expect(codeOf(await connect({ port, student: 8, address: '127.0.5.1' }))).toBe('welcome');
});

test('what a student may send is used up for the next connection, producer and address too', async () => {
  const { port, ingest } = await open({ eventsPerSecond: 0.001 });
  const first = await connect({ port, student: 7, address: '127.0.6.1' });
  await ask(first, hello(1));
  const sizes = [64, 64, 64, 64, 64, 64, 15];
  let from = 1;
  for (const size of sizes) {
    expect((await ask(first, batchOf(1, from, size))).type).toBe('stored');
    from += size;
  }
  if (typeof first !== 'string') first.close();
  const second = await connect({ port, student: 7, address: '127.0.6.2' });
  await ask(second, hello(2));
  expect(await ask(second, batchOf(2, 1, 2))).toMatchObject({ type: 'refused', code: 'rate-limited' });
  expect(await ask(second, batchOf(2, 1, 1))).toMatchObject({ type: 'stored', upTo: 1 });
  expect(await ask(second, batchOf(2, 2, 1))).toMatchObject({ type: 'refused', code: 'rate-limited' });
  const other = await connect({ port, student: 8, address: '127.0.6.2' });
  await ask(other, hello(3));
  expect((await ask(other, batchOf(3, 1, 64))).type).toBe('stored');
  expect(ingest.counts().edges.socket).toMatchObject({ stored: 464, refused: 3 });
});

const RESTARTS = [
  {
    how: 'in order',
    next: async (directory: string, close: () => Promise<void>) => {
      await close();
      return directory;
    },
    left: 3,
  },
  {
    // What a process that is killed at this moment leaves behind: all that it wrote, and nothing that it would have written.
    how: 'by a death',
    next: async (directory: string) => {
      const copy = newFolder();
      cpSync(join(directory, 'limits.jsonl'), join(copy, 'limits.jsonl'));
      return copy;
    },
    left: 0,
  },
];

test.for(RESTARTS)('what a student has used is used after a restart $how', async ({ next, left }) => {
  const limits = { eventsPerSecond: 0.001 };
  const directory = newFolder();
  const first = await open(limits, [], directory);
  const socket = await connect({ port: first.port, student: 7 });
  await ask(socket, hello(1));
  let from = 1;
  for (const size of [64, 64, 64, 64, 64, 64, 13]) {
    expect((await ask(socket, batchOf(1, from, size))).type).toBe('stored');
    from += size;
  }
  const { port } = await open(limits, [], await next(directory, first.close));
  const again = await connect({ port, student: 7 });
  await ask(again, hello(2));
  expect(await ask(again, batchOf(2, 1, left + 1))).toMatchObject({ code: 'rate-limited' });
  if (left > 0) expect(await ask(again, batchOf(2, 1, left))).toMatchObject({ type: 'stored', upTo: left });
  const other = await connect({ port, student: 8 });
  await ask(other, hello(3));
  expect((await ask(other, batchOf(3, 1, 64))).type).toBe('stored');
});

test.for(RESTARTS)('who came too often is not welcome after a restart $how', async ({ next }) => {
  const limits = { handshakesPerAddress: 6, handshakesPerStudent: 3 };
  const directory = newFolder();
  const first = await open(limits, [], directory);
  const come = async (port: number, student: number, address: string) =>
    codeOf(await connect({ port, student, address }));
  for (const address of ['127.0.7.1', '127.0.7.2'])
    expect(await come(first.port, 7, address)).toBe('welcome');
  for (let n = 0; n < 4; n++) expect(await come(first.port, 20 + n, '127.0.7.9')).toBe('welcome');
  const { port } = await open(limits, [], await next(directory, first.close));
  expect(await come(port, 7, '127.0.7.3')).toBe('welcome');
  expect(await come(port, 7, '127.0.7.4')).toBe('limited');
  expect(await come(port, 30, '127.0.7.9')).toBe('welcome');
  expect(await come(port, 31, '127.0.7.9')).toBe('welcome');
  expect(await come(port, 32, '127.0.7.9')).toBe('limited');
  expect(await come(port, 33, '127.0.7.10')).toBe('welcome');
});
