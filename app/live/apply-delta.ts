import type { Delta, Json, Row, Splice } from '#server/live/protocol.ts';

type Fields = { readonly [field: string]: Json | Splice };

/** The rows after a delta, in roster order. A row that the delta does not name stays the same object. */
export function applyDelta(rows: readonly Row[], delta: Delta): readonly Row[] {
  const { set = {}, unset = {}, gone = [], order } = delta;
  const byId = new Map(rows.map((row) => [row.student.id, row]));
  for (const id of gone) byId.delete(id);
  for (const [id, fields] of Object.entries(set)) byId.set(id, merge(byId.get(id), fields));
  for (const [id, fields] of Object.entries(unset)) {
    const row = byId.get(id);
    if (row) byId.set(id, without(row, fields));
  }
  const ids = order ?? [...byId.keys()];
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** A row's first delta holds all its fields, `student` among them: the server's promise, and why the cast holds. */
function merge(row: Row | undefined, fields: Fields): Row {
  const merged: Record<string, Json> = { ...row };
  for (const [field, value] of Object.entries(fields))
    merged[field] = isSplice(value) ? spliced(merged[field], value) : value;
  return merged as Row;
}

function without(row: Row, fields: readonly string[]): Row {
  const kept = Object.entries(row).filter(([field]) => !fields.includes(field));
  return Object.fromEntries(kept) as Row;
}

/** No field of a row is an object with the one key `$` (wire.md part C), so this can be nothing else. */
function isSplice(value: Json | Splice): value is Splice {
  return typeof value === 'object' && value !== null && '$' in value && Object.keys(value).length === 1;
}

function spliced(before: Json | undefined, { $: [at, cut, put] }: Splice): string {
  const text = typeof before === 'string' ? before : '';
  return text.slice(0, at) + put + text.slice(at + cut);
}
