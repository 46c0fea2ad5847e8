/** An event's end as a bad row: final, its original is kept (delivery.md §10). */
export const BAD_CODES = [
  'not-utf8',
  'binary-unexpected',
  'not-json',
  'too-deep',
  'too-many-keys',
  'string-too-long',
  'forbidden-key',
  'lone-surrogate',
  'not-a-batch',
  'version-unknown',
  'field-missing',
  'field-wrong',
  'batch-empty',
  'batch-too-long',
  'seq-invalid',
  'id-conflict',
  'unknown-source',
  'unknown-event',
  'schema',
  'event-too-big',
  'key-field-invalid',
  'parked-too-long',
  'person-unknown',
  'anonymous',
  'not-your-own',
  'not-your-class',
] as const;

/** Must not be collected: final, the content is not kept. */
export const DECLINED_CODES = [
  'outside-window',
  'collection-off',
  'domain-declined',
  'paused-by-student',
  'source-not-allowed',
  'student-erased',
] as const;

/** Not now: the sender keeps it and sends it again. */
export const REFUSED_CODES = [
  'gap',
  'held',
  'claims-off',
  'claim-unknown',
  'rate-limited',
  'daily-quota',
  'too-many-in-flight',
  'busy',
  'disk-full',
  'archive-failed',
  'not-ready',
] as const;

/** The event is fine; something about it is worth knowing. */
export const NOTE_CODES = ['clock-skewed', 'claim-mismatch', 'identity-fixed', 'fields-ignored'] as const;

/** A request that fails as a whole: subscribe, hello, HTTP. */
export const REQUEST_CODES = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'limited',
  'unavailable',
  'internal',
] as const;

export type BadCode = (typeof BAD_CODES)[number];
export type DeclinedCode = (typeof DECLINED_CODES)[number];
export type RefusedCode = (typeof REFUSED_CODES)[number];
export type NoteCode = (typeof NOTE_CODES)[number];
export type RequestCode = (typeof REQUEST_CODES)[number];
export type AppErrorCode = BadCode | DeclinedCode | RefusedCode | RequestCode;

/** WebSocket close codes, each with what the peer should make of it. */
export const CLOSE = {
  ended: 1000,
  goingAway: 1001,
  protocolError: 1002,
  notUtf8: 1007,
  tooBig: 1009,
  ourFault: 1011,
  overloaded: 1013,
  protocol: 4400,
  unauthenticated: 4401,
  revoked: 4403,
  silent: 4408,
  readerStalled: 4410,
  tooManySockets: 4429,
} as const;

/**
 * An error that has a code of the closed list. The message is one lower-case sentence that names the thing, and what
 * can be done; never a student's text, a path of a file or a stack.
 */
export class AppError extends Error {
  readonly code: AppErrorCode;
  readonly retryAfterMs: number | undefined;
  constructor(code: AppErrorCode, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
