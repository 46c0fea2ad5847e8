import type { Envelope } from './event-source.ts';

/** A key field names one part of a state key and says how to find it on an event; undefined: the reducer skips the event. */
export type KeyField<Name extends string = string, Needs = any> = {
  readonly name: Name;
  readonly from: (event: Envelope & Needs) => string | null | undefined;
};

export function keyField<const Name extends string, Needs = unknown>(
  name: Name,
  from: (event: Envelope & Needs) => string | null | undefined,
): KeyField<Name, Needs> {
  return { name, from };
}

/** The key fields that one state is about. */
export type Scope<Fields extends readonly KeyField[] = readonly KeyField[]> = { readonly fields: Fields };

export function scope<const Fields extends readonly KeyField[]>(...fields: Fields): Scope<Fields> {
  return { fields };
}

export type KeyOf<S extends Scope> = { readonly [F in S['fields'][number] as F['name']]: string };

/** The event fields that the scope's key fields read. */
export type NeedsOf<S extends Scope> = (
  S['fields'][number] extends infer F
    ? F extends KeyField<any, infer Needs>
      ? (needs: Needs) => void
      : never
    : never
) extends (needs: infer All) => void
  ? All
  : never;

export const student = keyField('student', (event) => event.student);
