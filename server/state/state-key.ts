import type { Reducer } from '#modules/kit/index.ts';

/** `doc-text.v1:student=ada:doc=d1`; every part is percent-encoded, so no id can reach another key. */
export type StateKey = string;

export function stateKey(reducer: Reducer, fields: Readonly<Record<string, string>>): StateKey {
  let key = `${reducer.name}.v${reducer.version}`;
  for (const { name } of reducer.scope.fields) key += `:${name}=${encodeURIComponent(fields[name] ?? '')}`;
  return key;
}

/** Undefined when the event lacks a field that the scope names: the reducer skips it. */
export function keyOfEvent(
  reducer: Reducer,
  event: Parameters<Reducer['scope']['fields'][number]['from']>[0],
): StateKey | undefined {
  let key = `${reducer.name}.v${reducer.version}`;
  for (const field of reducer.scope.fields) {
    const value = field.from(event);
    if (value === undefined || value === null) return undefined;
    key += `:${field.name}=${encodeURIComponent(value)}`;
  }
  return key;
}
