/** Whether a request comes from one of our own pages: `Origin` byte for byte, and what the browser says of the site. */
export function isOwnRequest(request: Request, origins: readonly string[]): boolean {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  return origin !== null && origins.includes(origin) && (site === null || site === 'same-origin');
}

/** The origins of our own pages. Demo mode is on loopback, which browsers know by three names. */
export function ownOrigins(publicUrl: string, isDemo: boolean): readonly string[] {
  const { origin, port } = new URL(publicUrl);
  if (!isDemo) return [origin];
  const loopback = ['localhost', '127.0.0.1', '[::1]'].map(
    (host) => new URL(`http://${host}:${port || 80}`).origin,
  );
  return [...new Set([origin, ...loopback])];
}

/** JSON that no cache keeps. */
export const json = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response => Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });

export const refusal = (status: number, code: string, message: string): Response =>
  json(status, { code, message });
