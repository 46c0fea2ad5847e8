import { createHash, randomBytes } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';

/** Twelve hours: a school day, whatever happens in it. */
export const SESSION_MS = 12 * 60 * 60 * 1000;

/** Demo mode has no TLS, and a `__Host-` cookie without TLS is dropped by browsers. */
export const sessionCookieName = (isDemo: boolean): string => (isDemo ? 'lo-session' : '__Host-lo-session');

/** 256 random bits: the cookie's value, which is stored nowhere. */
export const newCookieValue = (): string => randomBytes(32).toString('base64url');

/** What the table holds of a cookie's value. */
export const hashOf = (value: string): string => createHash('sha256').update(value).digest('hex');

/** The session's value in a `cookie` header; null where there is none. */
export function readSessionCookie(header: string | null | undefined, isDemo: boolean): string | null {
  return (header && parseCookie(header)[sessionCookieName(isDemo)]) || null;
}

/** The `set-cookie` value that begins a session, or ends it (`value` null). */
export function writeSessionCookie(value: string | null, isDemo: boolean): string {
  return stringifySetCookie(sessionCookieName(isDemo), value ?? '', {
    ...sessionCookieOptions(isDemo),
    maxAge: value === null ? 0 : SESSION_MS / 1000,
  });
}

export const sessionCookieOptions = (isDemo: boolean) =>
  ({ httpOnly: true, sameSite: 'lax', path: '/', secure: !isDemo }) as const;
