import type { z } from 'zod';
import type { Envelope, EventSource, KeyField, Reducer } from '#modules/kit/index.ts';
import type { BadCode } from '#server/errors.ts';
import { withoutOddText } from './structure.ts';

/** Names that look like a subject. They are claims: whose event it is comes from the connection alone. */
const CLAIM_NAMES = [
  'auth',
  'user_id',
  'safe_user_id',
  'student',
  'student_id',
  'sec',
  'providence',
] as const;
/** Never archived, whatever a schema names (wire.md §A11). */
const SECRET_NAMES = ['chrome_identity', 'ingest_token', 'localStorageInfo', 'sessionStorageInfo'] as const;
const HIDDEN_NAMES = [...CLAIM_NAMES, ...SECRET_NAMES];
const MAX_KEY_CHARACTERS = 300;

/** One event type as the edges need it. */
export type EventType = {
  readonly source: EventSource;
  readonly schema: z.ZodObject;
  /** Larger than a frame only where the source says so. */
  readonly maxBytes: number | undefined;
  readonly isDeclined: boolean;
  /** What reducers of this type build their keys from, but for the student. */
  readonly keyFields: readonly KeyField[];
  /** False where the schema cannot see a hidden name, so that no copy without it is needed. */
  readonly mustHide: boolean;
};

export type SourceTable = {
  /** Undefined for a source that is unknown or that no client may send. */
  find(name: string): KnownSource | undefined;
  /** As sent, then with `-` as `_`: clients of the old protocol write both. */
  findOld(name: string): KnownSource | undefined;
};

export type KnownSource = {
  readonly name: string;
  readonly types: ReadonlyMap<string, EventType>;
  readonly declines: ReadonlySet<string>;
};

export type BadEvent = { readonly code: BadCode; readonly path?: string; readonly message: string };
export type ReadEvent =
  | { readonly ok: true; readonly body: Record<string, unknown> }
  | ({ readonly ok: false } & BadEvent);

/** Compiles what the modules declare into one table, once at start. */
export function openSources(sources: Iterable<EventSource>, reducers: Iterable<Reducer>): SourceTable {
  const listening = [...reducers];
  const known = new Map<string, KnownSource>();
  for (const source of sources) {
    if (!source.isInternal) known.set(source.name, compile(source, listening));
  }
  return {
    find: (name) => known.get(name),
    findOld: (name) => known.get(name) ?? known.get(name.replaceAll('-', '_')),
  };
}

function compile(source: EventSource, reducers: readonly Reducer[]): KnownSource {
  const declines = new Set(source.declines);
  const types = new Map<string, EventType>();
  for (const [event, schema] of Object.entries(source.events)) {
    types.set(event, {
      source,
      schema,
      maxBytes: source.maxBytes?.[event],
      isDeclined: declines.has(event),
      keyFields: keyFieldsOf(source, event, reducers),
      mustHide: seesHiddenNames(schema),
    });
  }
  return { name: source.name, types, declines };
}

function keyFieldsOf(source: EventSource, event: string, reducers: readonly Reducer[]): KeyField[] {
  const fields = new Set<KeyField>();
  for (const reducer of reducers) {
    if (reducer.source.name !== source.name || !Object.hasOwn(reducer.on, event)) continue;
    for (const field of reducer.scope.fields) if (field.name !== 'student') fields.add(field);
  }
  return [...fields];
}

function seesHiddenNames(schema: z.ZodObject): boolean {
  return schema.def.catchall !== undefined || HIDDEN_NAMES.some((name) => Object.hasOwn(schema.shape, name));
}

/** Step 7 of delivery.md §4 for one event: its body as the schema gives it, or why it cannot be an event. */
export function readEvent(
  type: EventType,
  envelope: Envelope,
  sent: Readonly<Record<string, unknown>>,
  hasOddText: boolean,
): ReadEvent {
  let body = sent;
  if (hasOddText) body = withoutOddText(body);
  if (type.source.before) {
    try {
      body = type.source.before(envelope.event, body);
    } catch {
      return {
        ok: false,
        code: 'schema',
        message: `${envelope.event} has a shape that its source cannot read`,
      };
    }
  }
  if (type.mustHide) body = withoutHidden(body);
  const parsed = type.schema.safeParse(body);
  if (!parsed.success) return schemaFault(parsed.error.issues[0], body);
  const output = parsed.data as Record<string, unknown>;
  const field = type.keyFields.length > 0 ? wrongKeyField(type.keyFields, output, envelope) : undefined;
  if (field !== undefined) {
    return { ok: false, code: 'key-field-invalid', path: field, message: `${field} cannot be a key` };
  }
  return { ok: true, body: output };
}

function withoutHidden(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!HIDDEN_NAMES.some((name) => Object.hasOwn(body, name))) return body;
  const rest: Record<string, unknown> = { ...body };
  for (const name of HIDDEN_NAMES) delete rest[name];
  return rest;
}

/** Words of our own: a validator's message may quote what a student wrote. */
function schemaFault(
  issue: z.core.$ZodIssue | undefined,
  body: Readonly<Record<string, unknown>>,
): ReadEvent {
  const path = (issue?.path ?? []).slice(0, 8).map(pathPart).join('.');
  const verb = isMissing(issue, body) ? 'missing' : 'wrong';
  return { ok: false, code: 'schema', path, message: `${path || 'the body'} is ${verb}` };
}

const PLAIN_NAME = /^[A-Za-z][\w.-]{0,63}$/;

function pathPart(part: PropertyKey): string {
  if (typeof part === 'number') return String(part);
  return typeof part === 'string' && PLAIN_NAME.test(part) ? part : '*';
}

function isMissing(issue: z.core.$ZodIssue | undefined, body: unknown): boolean {
  let at = body;
  for (const part of issue?.path ?? []) {
    if (typeof at !== 'object' || at === null) return false;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return at === undefined;
}

function wrongKeyField(
  fields: readonly KeyField[],
  body: Record<string, unknown>,
  envelope: Envelope,
): string | undefined {
  const event = { ...body, ...envelope };
  for (const field of fields) {
    let value: unknown;
    try {
      value = field.from(event);
    } catch {
      return field.name;
    }
    if (value !== undefined && value !== null && !isKeyText(value)) return field.name;
  }
  return undefined;
}

/** At most 300 characters, none of them a control character. */
export function isKeyText(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > MAX_KEY_CHARACTERS) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  }
  return true;
}

/** True if the body names a subject other than the connection's. */
export function claimsAnother(body: Readonly<Record<string, unknown>>, student: string): boolean {
  for (const name of CLAIM_NAMES) {
    const value = body[name];
    if (typeof value === 'string' && value !== student) return true;
  }
  return false;
}
