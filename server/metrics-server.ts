import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

const LOOPBACK = '127.0.0.1';

/** `GET /metrics` on loopback, nothing else. Rejects where the port is taken; `port` 0: one that is free. */
export async function serveMetrics(
  registry: Registry,
  port: number,
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    try {
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    } catch {
      response.writeHead(500).end();
    }
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail).listen(port, LOOPBACK, done);
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
