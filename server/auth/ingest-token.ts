import { createPublicKey, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { newId } from '#server/new-id.ts';

/** No ingest token lives longer (people.md §9). */
export const INGEST_TOKEN_MS = 15 * 60 * 1000;
const ISSUER = 'learning-observer';
const AUDIENCE = 'ingest';

export type IngestSubject = {
  readonly person: string;
  readonly school: string;
  /** The installation or session that the token belongs to: it ends with it. */
  readonly installation: string;
};
export type VerifiedIngestToken = IngestSubject & { readonly issuedAt: number; readonly expiresAt: number };

/** Signs a token that may write events of one person and read nothing: JWS, EdDSA, 15 minutes. Needs no database. */
export async function signIngestToken(
  key: KeyObject,
  subject: IngestSubject,
  now: number,
): Promise<{ token: string; expiresAt: number }> {
  const issued = Math.floor(now / 1000);
  const expires = issued + INGEST_TOKEN_MS / 1000;
  const token = await new SignJWT({ inst: subject.installation, school: subject.school })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject.person)
    .setIssuedAt(issued)
    .setExpirationTime(expires)
    .setJti(newId())
    .sign(key);
  return { token, expiresAt: expires * 1000 };
}

/** Checks a token with the public key alone; null for whatever is not exactly one of ours in force. */
export function ingestTokenVerifier(key: KeyObject, clock: () => number) {
  const publicKey = createPublicKey(key);
  return async (token: string): Promise<VerifiedIngestToken | null> => {
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(clock()),
        maxTokenAge: INGEST_TOKEN_MS / 1000,
        requiredClaims: ['sub', 'inst', 'school', 'exp', 'iat', 'jti'],
      });
      const { sub, inst, school, iat, exp } = payload;
      if (typeof inst !== 'string' || typeof school !== 'string' || !sub || !iat || !exp) return null;
      return { person: sub, school, installation: inst, issuedAt: iat * 1000, expiresAt: exp * 1000 };
    } catch {
      return null; // whoever sends a wrong token learns nothing about why
    }
  };
}

/** Persons and installations whose tokens count no more, in memory: a token lives 15 minutes, and so does an entry. */
export function revocations(clock: () => number) {
  const revokedAt = new Map<string, number>();
  return {
    revoke(id: string, at: number): void {
      const now = clock();
      for (const [key, time] of revokedAt) if (time + INGEST_TOKEN_MS < now) revokedAt.delete(key);
      revokedAt.set(id, Math.max(at, revokedAt.get(id) ?? 0));
    },
    /** Tokens carry whole seconds, so one of the same second is taken for older. */
    isRevoked(token: VerifiedIngestToken): boolean {
      return [token.person, token.installation].some((id) => (revokedAt.get(id) ?? -1) >= token.issuedAt);
    },
  };
}
