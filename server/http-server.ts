import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { ADDRESS_HEADER, clientAddress } from './address.ts';
import { CLOSE } from './errors.ts';
import { setPageHeaders } from './page-headers.ts';
import { routeUpgrade, type UpgradeRules } from './upgrade.ts';

const OVERLOADED_CLOSE_MS = 5_000;
const OVERLOADED_RETRY_S = 5;

export type UpgradeHandlers = {
  readonly 'socket.io': (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly 'learning-observer': (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly next: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
};

export type HttpServerOptions = UpgradeRules & {
  readonly trustedProxies: ReadonlySet<string>;
  readonly isSecure: boolean;
  /**
   * While it says yes, new sockets are closed with 1013: come back later. Clients of the old protocol come straight back after
   * any close, so they are refused before they are open, with 503 (wire.md §A8).
   */
  readonly isOverloaded?: () => boolean;
};

/** The one listener: hosts, headers, addresses and upgrades are decided here, pages and routes are Next's. */
export function openHttpServer(options: HttpServerOptions): {
  readonly server: Server;
  serve(pages: RequestListener, upgrades: UpgradeHandlers): void;
  /** Ends every connection, upgraded ones too, which `closeAllConnections` skips. */
  destroySockets(): void;
} {
  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 20_000,
    connectionsCheckingInterval: 2_000, // Node looks for who is over a timeout this often; by default each 30 s
  });
  const refusing = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    server,
    serve(pages, upgrades) {
      server.on('request', (request, response) => {
        if (!options.hosts.has(request.headers.host ?? '')) {
          response.writeHead(421).end();
          return;
        }
        request.headers[ADDRESS_HEADER] = clientAddress(request, options.trustedProxies);
        setPageHeaders(request, response, options);
        pages(request, response);
      });
      server.on('upgrade', (request, socket, head) => upgrade(request, socket, head, upgrades));
    },
    destroySockets() {
      for (const socket of sockets) socket.destroy();
    },
  };

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, handlers: UpgradeHandlers): void {
    socket.on('error', () => socket.destroy());
    const route = routeUpgrade(request, options);
    if (route === 'destroy') socket.destroy();
    else if (route === 'forbidden') refuseUpgrade(socket, 403);
    else if (route !== 'next' && options.isOverloaded?.()) {
      if (route === 'socket.io') refusing.handleUpgrade(request, socket, head, closeOverloaded);
      else refuseUpgrade(socket, 503, OVERLOADED_RETRY_S);
    } else {
      request.headers[ADDRESS_HEADER] = clientAddress(request, options.trustedProxies);
      handlers[route](request, socket, head);
    }
  }
}

/** A close code needs an open socket; a peer that does not answer it is cut off. */
function closeOverloaded(ws: WebSocket): void {
  ws.on('error', () => ws.terminate());
  ws.close(CLOSE.overloaded);
  setTimeout(() => ws.terminate(), OVERLOADED_CLOSE_MS).unref();
}

/** Answers an upgrade with a status instead of a socket. `retryAfterS` makes clients of the old protocol wait. */
export function refuseUpgrade(socket: Duplex, status: number, retryAfterS?: number): void {
  const retry = retryAfterS === undefined ? '' : `Retry-After: ${retryAfterS}\r\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retry}Content-Length: 0\r\n\r\n`,
  );
}
