import type { BadCode } from '#server/errors.ts';
import { isObject } from './envelope.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** `ignored`: a field was named that nobody may lock. */
export type Locked =
  | { readonly ok: true; readonly fields: Fields; readonly ignored: boolean }
  | { readonly ok: false; readonly code: BadCode; readonly message: string };

/** What an event says of itself and what the server says of it: no lock changes these. */
const NEVER_LOCKED = ['event', 'fields', 'metadata', 'auth', 'id', 'at', 'student'] as const;
/** Proofs and large copies of the browser's storage: read once, then forgotten. */
const READ_ONCE = ['ingest_token', 'localStorageInfo', 'sessionStorageInfo'] as const;

/** Merges a `lock_fields` frame into what is locked: objects key by key; arrays, scalars and null replace (wire.md §A6). */
export function lockFields(
  locked: Fields,
  frame: Fields,
  limits: { readonly lockedBytes: number; readonly lockedDepth: number },
): Locked {
  const { fields } = frame;
  if (fields === undefined) return { ok: false, code: 'field-missing', message: 'fields is missing' };
  if (!isObject(fields)) return { ok: false, code: 'field-wrong', message: 'fields is not an object' };
  const wanted: Record<string, unknown> = { ...fields };
  let ignored = false;
  for (const name of NEVER_LOCKED) {
    ignored ||= Object.hasOwn(wanted, name);
    delete wanted[name];
  }
  for (const name of READ_ONCE) delete wanted[name];
  const merged = merge(locked, wanted);
  const tooBig =
    depthOf(merged) > limits.lockedDepth || Buffer.byteLength(JSON.stringify(merged)) > limits.lockedBytes;
  if (tooBig) return { ok: false, code: 'event-too-big', message: 'too much is locked' };
  return { ok: true, fields: merged, ignored };
}

function merge(old: Fields, more: Fields): Fields {
  const merged: Record<string, unknown> = { ...old };
  for (const [name, value] of Object.entries(more)) {
    const before = merged[name];
    merged[name] = isObject(before) && isObject(value) ? merge(before, value) : value;
  }
  return merged;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
