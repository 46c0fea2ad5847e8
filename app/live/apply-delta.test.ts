import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Trouble } from '#modules/kit/index.ts';
import { deltaOf, type Snapshot, splice } from '#server/live/delta.ts';
import type { Json, Opened, Row } from '#server/live/protocol.ts';
import { applyDelta } from './apply-delta.ts';
import { NOTHING_YET, reduceFeed } from './feed.ts';

const runs = { numRuns: 500 };
const ids = ['ada', 'bo', 'cy', 'di'];
const words = fc.string({ unit: 'binary', maxLength: 60 });
const value = fc.oneof(
  words,
  fc.integer(),
  fc.constant(null),
  fc.array(fc.integer(), { maxLength: 4 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'c d'), fc.integer(), { minKeys: 2, noNullPrototype: true }),
);
const fields = fc.dictionary(fc.constantFrom('words', 'text', 'bins', 'at'), value, {
  noNullPrototype: true,
});
const trouble = fc.record(
  { code: fc.constantFrom('stopped', 'unavailable', 'delayed'), since: fc.nat() },
  { noNullPrototype: true },
);
const snapshot = fc
  .record({
    order: fc.shuffledSubarray(ids),
    fields: fc.array(fields, { minLength: 4, maxLength: 4 }),
    trouble: fc.dictionary(fc.constantFrom('*', ...ids), trouble),
    frame: fc.integer(),
  })
  .map(
    (made): Snapshot => ({
      order: made.order,
      rows: new Map(made.order.map((id, i) => [id, row(id, made.fields[i] as Record<string, Json>)])),
      trouble: new Map(Object.entries(made.trouble) as [string, Trouble][]),
      frame: made.frame,
    }),
  );

function row(id: string, more: Record<string, Json>): Row {
  return { ...more, student: { id, name: id } };
}
const rowsOf = ({ order, rows }: Snapshot) => order.map((id) => rows.get(id) as Row);
const overTheWire = <T>(sent: T): T => JSON.parse(JSON.stringify(sent)) as T;

test('deltas one after the other lead from any snapshot to any other', () => {
  fc.assert(
    fc.property(fc.array(snapshot, { minLength: 2, maxLength: 5 }), (snapshots) => {
      const [first, ...later] = snapshots as [Snapshot, ...Snapshot[]];
      const opened: Opened = {
        ok: true,
        channel: 'c',
        n: 0,
        at: 1,
        rows: rowsOf(first),
        params: {},
        trouble: Object.fromEntries(first.trouble),
        frame: first.frame ?? null,
      };
      let feed = reduceFeed(NOTHING_YET, { type: 'opened', opened: overTheWire(opened), now: 0 });
      let sent = first;
      for (const next of later) {
        const changes = deltaOf(sent, next);
        sent = next;
        if (changes === null) continue;
        const delta = overTheWire({ channel: 'c', n: feed.n + 1, at: 2, ...changes });
        feed = reduceFeed(feed, { type: 'rows', delta, now: 0 });
      }
      expect(feed.rows).toEqual(overTheWire(rowsOf(sent)));
      expect(feed.trouble).toEqual(Object.fromEntries(sent.trouble));
      expect(feed.frame).toEqual(sent.frame);
    }),
    runs,
  );
});

test('nothing is sent when nothing differs, and nothing that does not differ', () => {
  fc.assert(
    fc.property(snapshot, snapshot, (before, after) => {
      expect(deltaOf(before, structuredClone(before))).toBeNull();
      for (const [id, changed] of Object.entries(deltaOf(before, after)?.set ?? {}))
        for (const field of Object.keys(changed)) {
          const old = before.rows.get(id)?.[field];
          if (old !== undefined) expect(old).not.toEqual(after.rows.get(id)?.[field]);
        }
    }),
    runs,
  );
});

test('a splice is never longer than the text itself, and is used where it is much shorter', () => {
  fc.assert(
    fc.property(words, words, words, words, (start, cut, put, end) => {
      const sent = splice(start + cut + end, start + put + end);
      expect(JSON.stringify(sent).length).toBeLessThanOrEqual(JSON.stringify(start + put + end).length + 8);
    }),
    runs,
  );
  const book = 'word '.repeat(2000);
  expect(splice(book, `${book.slice(0, 5000)}x${book.slice(5000)}`)).toEqual({ $: [5000, 0, 'x'] });
  expect(splice('aaaa'.repeat(20), 'aaaa'.repeat(19))).toEqual({ $: [76, 4, ''] });
});

test('a row that a delta does not name stays the same object', () => {
  const rows = [row('ada', { words: 1 }), row('bo', { words: 1 })];
  const next = applyDelta(rows, { channel: 'c', n: 1, at: 1, set: { ada: { words: 2 } } });
  expect(next[1]).toBe(rows[1]);
  expect(next[0]).toEqual(row('ada', { words: 2 }));
  expect(rows[0]).toEqual(row('ada', { words: 1 }));
});
