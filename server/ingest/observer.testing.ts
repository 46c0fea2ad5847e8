import { expect } from 'vitest';
import type { WebSocket } from 'ws';
import type { Identity } from './identity.ts';
import { openTestServer, type TestServer, type TestServerOptions } from './ingest-server.bench.ts';

export const ADA: Identity = {
  student: 'ada',
  school: 's1',
  kind: 'claimed',
  credential: 'claim',
  expiresAt: null,
};
export const SOURCE = {
  event: 'lock_fields',
  fields: { source: 'org.test.pad', version: '1' },
  metadata: {},
};
export const CLAIM = {
  event: 'lock_fields',
  fields: {
    chrome_identity: { email: 'a@School.edu', id: '1157' },
    browserInfo: { browser_info: { navigator: { userAgent: 'Test/1' }, connection: {} } },
    localStorageInfo: { secret: 'kept-nowhere' },
  },
  metadata: {},
};

export type Told = { status: string; [field: string]: unknown };
export type Client = {
  readonly ws: WebSocket;
  readonly told: Told[];
  readonly closed: Promise<number>;
  send(...frames: (object | string)[]): void;
  /** Waits until a frame of this status has come, and gives the newest. */
  next(status: string, count?: number): Promise<Told>;
  /** Waits until everything sent so far has its end. */
  settle(): Promise<Told>;
};

export async function connectPlain(
  server: TestServer,
  options?: Parameters<TestServer['plain']>[1],
): Promise<Client> {
  const ws = server.plain('/wsapi/in/', options);
  const told: Told[] = [];
  const closed = new Promise<number>((resolve) => ws.on('close', resolve));
  ws.on('error', () => {});
  ws.on('message', (data) => told.push(JSON.parse(String(data))));
  await new Promise((resolve) => ws.on('open', resolve));
  const of = (status: string) => told.filter((frame) => frame.status === status);
  let blobs = 0;
  const client: Client = {
    ws,
    told,
    closed,
    send(...frames) {
      for (const frame of frames) ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    },
    async next(status, count = 1) {
      await expect
        .poll(() => of(status).length, { timeout: 4_000, interval: 5 })
        .toBeGreaterThanOrEqual(count);
      return of(status).at(-1) as Told;
    },
    async settle() {
      client.send({ event: 'fetch_blob' });
      blobs += 1;
      return client.next('fetch_blob', blobs);
    },
  };
  return client;
}

export const event = (n: number, more: object = {}) => ({
  event: 'save',
  doc_id: 'd1',
  n,
  metadata: {},
  ...more,
});
export const ns = async (server: TestServer) =>
  (await server.entries()).flatMap((entry) => entry.ev ?? []).map(({ body }) => body.n);
export const codes = (client: Client) =>
  client.told.filter(({ status }) => status === 'answer').map(({ code }) => code);

/** A server that knows two people by their claims. */
export async function startObserver(options?: TestServerOptions): Promise<TestServer> {
  const server = await openTestServer(options);
  server.world.claims.set('google:1157', ADA);
  server.world.claims.set('google:22', { ...ADA, student: 'bo' });
  return server;
}
