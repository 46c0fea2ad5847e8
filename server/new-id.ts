import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** 26 characters of base32 from 16 bytes. */
function encode(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  value <<= 2n; // 130 bits are 26 whole characters
  let text = '';
  for (let place = 25n; place >= 0n; place--) text += ALPHABET[Number((value >> (place * 5n)) & 31n)];
  return text;
}

/** A random 128-bit id, 26 characters. */
export const newId = (): string => encode(randomBytes(16));

/** The same id for the same name at every start: for people who are invented, never for real ones. */
export const derivedId = (name: string): string =>
  encode(createHash('sha256').update(name).digest().subarray(0, 16));
