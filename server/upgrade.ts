import type { IncomingMessage } from 'node:http';

export type UpgradeRules = {
  /** Exact `Host` values that are ours. */
  readonly hosts: ReadonlySet<string>;
  /** Our own page origins: cookies count with these alone. */
  readonly ownOrigins: ReadonlySet<string>;
  /** Further origins that may open ingest sockets: `chrome-extension://<id>` and listed pages. */
  readonly ingestOrigins: ReadonlySet<string>;
  readonly isDev: boolean;
};

export type UpgradeRoute = 'socket.io' | 'learning-observer' | 'next' | 'forbidden' | 'destroy';

const OBSERVER_PATHS = new Set(['/wsapi/in/', '/wsapi/in']);

/**
 * Who gets an upgrade (access.md §6): exact origin-form paths on a known host and nothing else. `destroy`: end the
 * socket without a word. `forbidden`: 403, the path is ours but the origin is not.
 */
export function routeUpgrade(
  request: Pick<IncomingMessage, 'url' | 'headers'>,
  rules: UpgradeRules,
): UpgradeRoute {
  const path = originFormPath(request.url);
  if (path === undefined || !rules.hosts.has(request.headers.host ?? '')) return 'destroy';
  if (path === '/socket.io/')
    return isListedOrigin(request.headers.origin, rules) ? 'socket.io' : 'forbidden';
  if (OBSERVER_PATHS.has(path))
    return isListedOrigin(request.headers.origin, rules) ? 'learning-observer' : 'forbidden';
  return rules.isDev && path.startsWith('/_next/') ? 'next' : 'destroy';
}

/** Undefined for an absolute-form target, a `//` or a target that is no path. */
export function originFormPath(url: string | undefined): string | undefined {
  if (!url?.startsWith('/') || url.includes('//') || url.includes('\\')) return undefined;
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** Byte for byte. Without an origin a socket may come (no browser sends none), but its cookies prove nothing. */
export function isListedOrigin(origin: string | undefined, rules: UpgradeRules): boolean {
  return origin === undefined || rules.ownOrigins.has(origin) || rules.ingestOrigins.has(origin);
}
