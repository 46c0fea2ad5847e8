import { googleDocs } from '#modules/google-docs/events.ts';
import { defineReducer, keyField, type Reducer, scope, student } from '#modules/kit/index.ts';
import type { ArchivedEvent, Draft } from '#server/archive/entry.ts';

export const STUDENTS = 500;
/** As many as the goals of ingest put into one emit (delivery.md §15, G1). */
export const EVENTS_AN_ENTRY = 4;

const START = 1_795_168_920_000;
const doc = keyField('doc', (event: { doc_id: string }) => event.doc_id);
const of = scope(student);

/** Five listeners, as delivery.md §15 counts them and as the ingest benchmark has them: an integer, a time, a map, a key of two fields, a short list. */
export const reducers: readonly Reducer[] = [
  defineReducer({
    name: 'count',
    source: googleDocs,
    scope: of,
    initial: 0,
    on: { google_docs_save: (n) => n + 1 },
  }),
  defineReducer({
    name: 'last-save',
    source: googleDocs,
    scope: of,
    initial: { doc: '', at: 0 },
    on: { google_docs_save: (_state, event) => ({ doc: event.doc_id, at: event.at }) },
  }),
  defineReducer({
    name: 'commands',
    source: googleDocs,
    scope: of,
    initial: {} as Record<string, number>,
    on: {
      google_docs_save(state, event) {
        const next = { ...state };
        for (const bundle of event.bundles)
          for (const command of bundle.commands) next[command.ty] = (next[command.ty] ?? 0) + 1;
        return next;
      },
    },
  }),
  defineReducer({
    name: 'per-doc',
    source: googleDocs,
    scope: scope(student, doc),
    initial: { saves: 0 },
    on: { google_docs_save: ({ saves }) => ({ saves: saves + 1 }) },
  }),
  defineReducer({
    name: 'latest',
    source: googleDocs,
    scope: of,
    initial: [] as number[],
    on: { google_docs_save: (times, event) => [...times.slice(-9), event.at] },
  }),
];

/** One batch of a student who types, in one of three documents, as `accept` hands it to the archive. */
export function savesOf(who: number, first: number): Draft {
  const ev = Array.from({ length: EVENTS_AN_ENTRY }, (_, i) => saveOf(who, first + i));
  return {
    k: 'batch',
    t: START + 200 * first + 120,
    s: `st_${String(who).padStart(22, '0')}`,
    p: String(who).padStart(22, 'P'),
    e: 1,
    f: first,
    src: googleDocs.name,
    off: -35,
    ev,
    h: Buffer.alloc(16 * EVENTS_AN_ENTRY, `${who} ${first}`).toString('base64'),
  };
}

/** A `google_docs_save` as the extension sends it (about 300 bytes), and what its schema leaves of it. */
function saveOf(who: number, seq: number): ArchivedEvent {
  const id = `1x2bHaXmJk0aVd5a9Yd1-${who}-${seq % 3}`;
  const sentAt = START + 200 * seq + 35;
  const body = {
    doc_id: id,
    tab_id: 't.0',
    url: `https://docs.google.com/document/d/${id}/save?id=${id}`,
    bundles: [{ commands: [{ ty: 'is', ibi: seq, s: 'a' }], sid: '5f2a', reqId: seq }],
    rev: [String(seq)],
    timestamp: sentAt,
  };
  return { event: 'google_docs_save', sentAt, body: googleDocs.events.google_docs_save.parse(body) };
}
