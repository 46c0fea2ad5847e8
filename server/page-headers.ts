import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const PERMISSIONS = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'microphone',
  'midi',
  'payment',
  'usb',
]
  .map((name) => `${name}=()`)
  .join(', ');

/** The policy of access.md §6; development needs the bundler's eval and its socket. */
export function contentSecurityPolicy(
  nonce: string,
  host: string,
  options: { readonly isDev: boolean; readonly isSecure: boolean },
): string {
  const socket = `${options.isSecure ? 'wss' : 'ws'}://${host}`;
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}' 'strict-dynamic'${options.isDev ? " 'unsafe-eval'" : ''}`,
    options.isDev ? `style-src 'self' 'unsafe-inline'` : `style-src 'self' 'nonce-${nonce}'`,
    `style-src-attr 'unsafe-inline'`,
    `img-src 'self' data:`,
    `connect-src 'self' ${socket}`,
    `font-src 'self'`,
    `manifest-src 'self'`,
    `form-action 'self' https://accounts.google.com`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

/**
 * Headers of every answer. The policy is set on the request too: that is where Next looks for the nonce of its scripts.
 * Hashed static files may be kept for ever; everything else is `no-store` unless a route says otherwise.
 */
export function setPageHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  options: { readonly isDev: boolean; readonly isSecure: boolean },
): void {
  const policy = contentSecurityPolicy(
    randomBytes(16).toString('base64'),
    request.headers.host ?? '',
    options,
  );
  request.headers['content-security-policy'] = policy;
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', PERMISSIONS);
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  if (options.isSecure)
    response.setHeader('Strict-Transport-Security', 'max-age=63072000; includeSubDomains');
  if (!request.url?.startsWith('/_next/static/')) response.setHeader('Cache-Control', 'no-store');
}
