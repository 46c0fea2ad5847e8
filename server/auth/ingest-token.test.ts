import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { demoIngestKey, parseIngestKey } from './ingest-key.ts';
import { INGEST_TOKEN_MS, ingestTokenVerifier, revocations, signIngestToken } from './ingest-token.ts';

const key = generateKeyPairSync('ed25519').privateKey;
const subject = { person: 'ada', school: 'school', installation: 'pad' };
const time = { now: 1_790_000_000_000 };
const verify = ingestTokenVerifier(key, () => time.now);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

type Change = { readonly [name: string]: unknown };
const sign = (change: Change, signer: KeyObject | Uint8Array = key, alg = 'EdDSA') => {
  const seconds = time.now / 1000;
  return new SignJWT({
    iss: 'learning-observer',
    aud: 'ingest',
    sub: 'ada',
    inst: 'pad',
    school: 'school',
    iat: seconds,
    exp: seconds + 60,
    jti: 'x',
    ...change,
  })
    .setProtectedHeader({ alg })
    .sign(signer);
};

describe('an ingest token', () => {
  it('says whose events it carries, for fifteen minutes', async () => {
    const { token, expiresAt } = await signIngestToken(key, subject, time.now);
    expect(expiresAt).toBe(time.now + INGEST_TOKEN_MS);
    expect(await verify(token)).toEqual({ ...subject, issuedAt: time.now, expiresAt });
    const later = ingestTokenVerifier(key, () => expiresAt);
    expect(await later(token)).toBeNull();
  });

  it('counts only when everything about it is right', async () => {
    expect(await verify(await sign({}))).not.toBeNull();
    const bad: Record<string, string> = {
      'other audience': await sign({ aud: 'live' }),
      'no audience': await sign({ aud: undefined }),
      'other issuer': await sign({ iss: 'somebody' }),
      expired: await sign({ exp: time.now / 1000 - 1 }),
      'no end': await sign({ exp: undefined }),
      'far end of an old token': await sign({ iat: time.now / 1000 - 1000, exp: time.now / 1000 + 9e6 }),
      'not yet': await sign({ nbf: time.now / 1000 + 60 }),
      'no subject': await sign({ sub: undefined }),
      'empty subject': await sign({ sub: '' }),
      'no installation': await sign({ inst: undefined }),
      'installation is no string': await sign({ inst: ['pad'] }),
      'no id': await sign({ jti: undefined }),
      'other key': await sign({}, generateKeyPairSync('ed25519').privateKey),
      'HMAC with the public key': await sign({}, Buffer.alloc(32, 7), 'HS256'),
      'no algorithm': `${encode({ alg: 'none' })}.${encode({ iss: 'learning-observer', aud: 'ingest', sub: 'ada' })}.`,
      nothing: '',
      'a cookie’s value': 'x'.repeat(43),
    };
    for (const [name, token] of Object.entries(bad)) expect(await verify(token), name).toBeNull();
  });

  it('is not accepted with one character of its body changed', async () => {
    const { token } = await signIngestToken(key, subject, time.now);
    const [head, body, end] = token.split('.');
    const other = encode({ ...JSON.parse(Buffer.from(body ?? '', 'base64url').toString()), sub: 'eve' });
    expect(await verify(`${head}.${other}.${end}`)).toBeNull();
  });
});

describe('a revocation', () => {
  it('ends the tokens of a person or an installation that were issued before it', () => {
    const { revoke, isRevoked } = revocations(() => time.now);
    const token = { ...subject, issuedAt: time.now, expiresAt: time.now + INGEST_TOKEN_MS };
    expect(isRevoked(token)).toBe(false);
    revoke('pad', time.now - 1);
    expect(isRevoked(token)).toBe(false);
    revoke('pad', time.now + 400);
    revoke('pad', time.now - 1);
    expect(isRevoked(token)).toBe(true);
    expect(isRevoked({ ...token, issuedAt: time.now + 1000 })).toBe(false);
    expect(isRevoked({ ...token, installation: 'other' })).toBe(false);
    revoke('ada', time.now);
    expect(isRevoked({ ...token, installation: 'other' })).toBe(true);
  });

  it('holds as long as a token of its time can live', () => {
    const clock = { now: 0 };
    const { revoke, isRevoked } = revocations(() => clock.now);
    const token = { ...subject, issuedAt: 0, expiresAt: INGEST_TOKEN_MS };
    revoke('pad', 0);
    clock.now = INGEST_TOKEN_MS;
    revoke('someone', clock.now);
    expect(isRevoked(token)).toBe(true);
  });
});

describe('the signing key', () => {
  it('of the demo is made once, also by two at once, and is its owner’s alone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lo-key-'));
    const made = await Promise.all([demoIngestKey(directory), demoIngestKey(directory)]);
    const text = (found: KeyObject) => found.export({ type: 'pkcs8', format: 'pem' });
    expect(new Set([...made, await demoIngestKey(directory)].map(text)).size).toBe(1);
    expect((await stat(join(directory, 'keys', 'ingest.pem'))).mode & 0o777).toBe(0o600);
    await rm(directory, { recursive: true });
  });

  it('of a school is an Ed25519 key or refused', () => {
    const pem = (made: KeyObject) => made.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(parseIngestKey(pem(key)).asymmetricKeyType).toBe('ed25519');
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    expect(() => parseIngestKey(pem(curve))).toThrow('no Ed25519 key');
    expect(() => parseIngestKey('secret')).toThrow('no PKCS8 key');
  });
});
