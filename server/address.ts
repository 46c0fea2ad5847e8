import type { IncomingMessage } from 'node:http';

/** The header in which routes find the sender's address; set by us on every request, whatever the sender put there. */
export const ADDRESS_HEADER = 'x-client-address';

const plain = (address: string) => (address.startsWith('::ffff:') ? address.slice(7) : address);

/**
 * Who sent it: the socket's peer, or, when that peer is a trusted proxy, the last address that the proxy did not add
 * itself. Forwarding headers of anybody else are ignored.
 */
export function clientAddress(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  trusted: ReadonlySet<string>,
): string {
  let address = plain(request.socket.remoteAddress ?? '');
  const header = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((hop) => plain(hop.trim()));
  while (trusted.has(address)) {
    const hop = hops.pop();
    if (!hop) break;
    address = hop;
  }
  return address;
}
