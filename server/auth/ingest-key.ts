import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#server/errors.ts';

/** Reads a PKCS8 PEM as an Ed25519 key. Throws `invalid` for anything else. */
export function parseIngestKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new AppError('invalid', 'INGEST_SIGNING_KEY is no PKCS8 key in PEM', { cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new AppError('invalid', 'INGEST_SIGNING_KEY is no Ed25519 key');
}

/** The demo school's key: made at the first use and kept under `varDir`, readable by its owner alone. */
export async function demoIngestKey(varDir: string): Promise<KeyObject> {
  const directory = join(varDir, 'keys');
  const path = join(directory, 'ingest.pem');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const fresh = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  try {
    // `wx`: of a server and a command that start at once, one makes the key and both read it.
    await writeFile(path, fresh, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return parseIngestKey(await readFile(path, 'utf8'));
}
