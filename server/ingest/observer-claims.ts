import { isObject } from './envelope.ts';
import type { Claim } from './identity.ts';
import type { Fields } from './lock-fields.ts';

/** What a frame offers as proof; `token` before `claim` (wire.md §A7). */
export type Proofs = { readonly token?: string; readonly claim?: Claim };

const DIGITS = /^\d{1,32}$/;
const LOCAL = 'local';
const MAX_CLAIM = 256;

/** Looks at locked fields and at the fields of events alike. An empty profile is no claim. */
export function proofsIn(event: string, fields: Fields, address: string): Proofs {
  const token = typeof fields.ingest_token === 'string' ? fields.ingest_token : undefined;
  const claim = googleClaim(fields.chrome_identity, address) ?? localClaim(event, fields, address);
  return { ...(token === undefined ? {} : { token }), ...(claim ? { claim } : {}) };
}

function googleClaim(identity: unknown, address: string): Claim | undefined {
  if (!isObject(identity) || typeof identity.id !== 'string' || !DIGITS.test(identity.id)) return undefined;
  const email = typeof identity.email === 'string' ? identity.email.slice(0, MAX_CLAIM) : '';
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return {
    method: 'chromebook',
    domain,
    value: `google:${identity.id}`,
    ...(email ? { email } : {}),
    address,
  };
}

function localClaim(event: string, fields: Fields, address: string): Claim | undefined {
  const found: readonly [Claim['method'], unknown] =
    event === 'hash_auth'
      ? ['hash_identify', fields.hash]
      : event === 'test_framework_fake_identity'
        ? ['testcase_auth', fields.user_id]
        : ['local_storage', fields.user_tag];
  const [method, value] = found;
  if (typeof value !== 'string' || value === '' || value.length > MAX_CLAIM) return undefined;
  return { method, domain: LOCAL, value, address };
}
