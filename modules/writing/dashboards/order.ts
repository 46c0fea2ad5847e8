import type { Prepared } from './prepare.ts';

export const ORDERS = ['roster', 'name', 'words', 'needs me'] as const;
export type Order = (typeof ORDERS)[number];

const byName = new Intl.Collator('en', { sensitivity: 'base', numeric: true });
const LOUDNESS = ['needs a look', 'not started', 'quiet', 'no signal', 'no analysis', 'revising', 'writing'];

/** Ids in the order asked for, as things stand now. `rows` come in roster order. */
export function sortedIds(students: readonly Prepared[], order: Order): readonly string[] {
  return [...students].sort(COMPARE[order]).map(({ row }) => row.student.id);
}

type Compare = (a: Prepared, b: Prepared) => number;
const COMPARE: Readonly<Record<Order, Compare>> = {
  roster: () => 0,
  name: (a, b) => byName.compare(a.row.student.name, b.row.student.name),
  words: (a, b) => b.row.words - a.row.words,
  'needs me': (a, b) =>
    Number(a.state.cause === null) - Number(b.state.cause === null) ||
    LOUDNESS.indexOf(a.state.word) - LOUDNESS.indexOf(b.state.word) ||
    (a.state.since ?? 0) - (b.state.since ?? 0),
};

/** Puts students in an order found earlier: who came since stands at the end, who left is left out. */
export function inOrder(students: readonly Prepared[], ids: readonly string[]): readonly Prepared[] {
  const places = new Map(ids.map((id, i) => [id, i]));
  const place = ({ row }: Prepared) => places.get(row.student.id) ?? ids.length;
  return [...students].sort((a, b) => place(a) - place(b));
}
