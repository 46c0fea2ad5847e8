import { expect, test } from 'vitest';
import type { Reducer } from '#modules/kit/index.ts';
import writingModule from '#modules/writing/module.ts';
import { googleDocs } from './events.ts';
import { docText } from './reducers/doc-text.ts';

const EDITS = 2000;
const ROUNDS = 7;
type Place = 'end' | 'start' | 'anywhere';

const listeners: readonly Reducer[] = writingModule.reducers.filter(
  ({ source }) => source.name === 'writing',
);

/** A document with its states, and what a save of one character costs it, part by part, in µs. */
function documentOf(characters: number) {
  const states = new Map<string, unknown>();
  let at = 1_795_168_920_000;
  let length = 0;
  let random = 1;

  function step(reducer: Reducer, name: string, event: object, emit: unknown) {
    const handler = reducer.on[name];
    if (handler) states.set(reducer.name, handler(states.get(reducer.name) ?? reducer.initial, event, emit));
  }

  function save(pos: number, s: string, cost: { schema: number; text: number; writing: number }) {
    at += 150;
    const body = {
      doc_id: 'd1',
      tab_id: null,
      url: 'https://docs.google.com/document/d/d1/save?id=d1&sid=0123456789abcdef&vc=1&c=1&w=1&smv=57&token=AC4w5Vj',
      bundles: [{ commands: [{ ty: 'is', ibi: pos + 1, s }], sid: '0123456789abcdef', reqId: 3 }],
      rev: ['27'],
      timestamp: at,
      metadata: { iso_ts: '2026-11-20T18:36:56.158Z' },
    };
    const emitted: (readonly [name: string, event: object])[] = [];
    const began = performance.now();
    const parsed = googleDocs.events.google_docs_save.parse(body);
    const read = performance.now();
    step(docText, 'google_docs_save', { ...parsed, at, sentAt: at - 90 }, (name: string, payload: object) =>
      emitted.push([name, { ...payload, at }]),
    );
    const folded = performance.now();
    for (const [name, event] of emitted)
      for (const reducer of listeners) step(reducer, name, event, undefined);
    cost.schema += read - began;
    cost.text += folded - read;
    cost.writing += performance.now() - folded;
    length += s.length;
  }

  function posOf(place: Place): number {
    random = (random * 48_271) % 2_147_483_647;
    return place === 'end' ? length : place === 'start' ? 0 : random % length;
  }

  const words = 'The quick brown fox jumps over the lazy dog. '.repeat(Math.ceil(characters / 45));
  save(0, words.slice(0, characters), { schema: 0, text: 0, writing: 0 });
  return (place: Place) => {
    const cost = { schema: 0, text: 0, writing: 0 };
    for (let i = 0; i < EDITS; i += 1) save(posOf(place), i % 6 === 5 ? ' ' : 'a', cost);
    const each = (ms: number) => (ms * 1000) / EDITS;
    return { schema: each(cost.schema), text: each(cost.text), writing: each(cost.writing) };
  };
}

type Cost = ReturnType<ReturnType<typeof documentOf>>;
const whole = ({ schema, text, writing }: Cost) => schema + text + writing;
const least = (costs: readonly Cost[]) => costs.reduce((a, b) => (whole(b) < whole(a) ? b : a));

test.each<Place>(['end', 'start', 'anywhere'])(
  'what an edit costs at the place "%s" does not grow with the document',
  (place) => {
    const page = documentOf(1000);
    const book = documentOf(500_000);
    const pages: Cost[] = [];
    const books: Cost[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      pages.push(page(place));
      books.push(book(place));
    }
    for (const [name, cost] of [
      ['page', least(pages)],
      ['book', least(books)],
    ] as const) {
      for (const part of ['schema', 'text', 'writing'] as const)
        console.log(`figure edit-${place}-${name}-${part} ${cost[part].toFixed(2)} µs`);
    }
    const ratio = whole(least(books)) / whole(least(pages));
    console.log(`figure edit-${place}-book-to-page ${ratio.toFixed(2)} ×`);
    // Work that grows with the document gives 40 and more. The promise (1.5) is measured over the whole path by the
    // benchmark `edit`: on a busy machine the fold alone shows mostly whose pages the cache holds.
    expect(ratio).toBeLessThan(5);
  },
);
