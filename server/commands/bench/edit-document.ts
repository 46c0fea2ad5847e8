import { googleDocs } from '#modules/google-docs/events.ts';
import type { Draft } from '#server/archive/entry.ts';
import { randomOf } from '#server/stream/testing.ts';

export const PLACES = ['start', 'end', 'random'] as const;
export type Place = (typeof PLACES)[number];
/** A command of Google Docs: an insertion or a deletion. */
export type Edit = Readonly<Record<string, unknown>>;

/** Types 8 characters one by one and takes them away again, so that the document stays as long as it is. */
export function editsAt(place: Place, size: number, edits: number): readonly Edit[] {
  const random = randomOf(7);
  let base = 0;
  return Array.from({ length: edits }, (_, i) => {
    const phase = i % 16;
    if (phase === 0) base = 1 + (place === 'start' ? 0 : place === 'end' ? size : random(size));
    if (phase < 8) return { ty: 'is', ibi: base + phase, s: String.fromCharCode(97 + phase) };
    return { ty: 'ds', si: base + 15 - phase, ei: base + 15 - phase };
  });
}

/** The whole document in one insertion. */
export function wholeOf(size: number): Edit {
  const s = 'The rain had stopped before anybody noticed. '.repeat(Math.ceil(size / 45)).slice(0, size);
  return { ty: 'is', ibi: 1, s };
}

export function bodyOf(edit: Edit): Readonly<Record<string, unknown>> {
  return { doc_id: 'd', bundles: [{ commands: [edit] }] };
}

/** Entries as `accept` hands them to the archive, one edit each. */
export function draftsOf(edits: readonly Edit[]): readonly Draft[] {
  return edits.map((edit, i) => ({
    k: 'batch',
    t: 1_000 + 100 * i,
    s: 'ada',
    p: 'p',
    e: 1,
    f: i + 1,
    src: googleDocs.name,
    off: 0,
    ev: [{ event: 'google_docs_save', sentAt: 1_000 + 100 * i, body: bodyOf(edit) }],
  }));
}
