import { describe, expect, it } from 'vitest';
import { cardPropsOf } from './card-props.ts';
import type { ClassRow } from './class-row.ts';
import { prepareClass } from './prepare.ts';
import { classOf, NOW, PARAMS } from './row-of.testing.ts';

const rows = classOf(40);

const cards = (given: readonly ClassRow[], now: number) =>
  cardPropsOf(
    prepareClass({ rows: given, params: PARAMS, now, lessonAt: NOW, dayStartsAt: 0, trouble: {} }),
    {
      rows: given,
      now,
      waiting: new Set(['s01']),
      timezone: 'UTC',
      studentHref: (id) => `/students/${id}`,
      stop: 's00',
    },
  );

/** Places whose props a memoised card would see as different. */
function changed(before: ReturnType<typeof cards>, after: ReturnType<typeof cards>): number[] {
  return before.flatMap((card, i) => {
    const next = Object.entries(after[i] ?? {});
    return next.every(([name, value]) => Object.is(value, card[name as keyof typeof card])) ? [] : [i];
  });
}

describe('a class of forty', () => {
  it('draws one card when one student writes', () => {
    const next = rows.with(7, { ...(rows[7] as ClassRow), before: 'one more letter', words: 1000 });
    expect(changed(cards(rows, NOW), cards(next, NOW))).toEqual([7]);
  });

  it('draws no card when only the clock ticks', () => {
    expect(changed(cards(rows, NOW), cards(rows, NOW + 1000))).toEqual([]);
  });

  it('draws all cards when a half minute has passed, and whose word changes', () => {
    expect(changed(cards(rows, NOW), cards(rows, NOW + 30_000))).toHaveLength(40);
  });
});
