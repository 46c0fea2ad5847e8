import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { inOrder, type Order, sortedIds } from './order.ts';
import type { Prepared } from './prepare.ts';

const SORT_EVERY_MS = 30_000;

/**
 * Students in the chosen order, which holds still: it is found when it is chosen, and *needs me* again every 30 s
 * while nobody points at a card or has the focus in one. `sort` finds it again now.
 */
export function useOrder(students: readonly Prepared[], order: Order, grid: RefObject<HTMLElement | null>) {
  const [times, setTimes] = useState(0);
  const [held, setHeld] = useState({ key: '', ids: [] as readonly string[] });
  const before = useRef<Places | null>(null);
  const key = `${order} ${times}`;
  if (held.key !== key) setHeld({ key, ids: sortedIds(students, order) });
  const sort = () => {
    before.current = placesOf(grid.current);
    setTimes((n) => n + 1);
  };
  const latest = useRef(sort);
  useEffect(() => {
    latest.current = sort;
  });
  useEffect(() => {
    if (order !== 'needs me') return;
    const timer = setInterval(() => {
      if (!grid.current?.matches(':hover, :focus-within')) latest.current();
    }, SORT_EVERY_MS);
    return () => clearInterval(timer);
  }, [order, grid]);
  useLayoutEffect(() => {
    if (key && before.current) glide(grid.current, before.current);
    before.current = null;
  }, [key, grid]);
  return { ordered: order === 'roster' ? students : inOrder(students, held.ids), sort };
}

type Places = ReadonlyMap<string, readonly [left: number, top: number]>;

const cardsOf = (grid: HTMLElement | null) => [...(grid?.querySelectorAll<HTMLElement>('.lo-card') ?? [])];

function placesOf(grid: HTMLElement | null): Places {
  return new Map(
    cardsOf(grid).map((card) => [card.dataset.student ?? '', [card.offsetLeft, card.offsetTop]]),
  );
}

/** Lets cards that changed their place move there, together; at once where motion is not wanted. */
function glide(grid: HTMLElement | null, before: Places): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  for (const card of cardsOf(grid)) {
    const [left, top] = before.get(card.dataset.student ?? '') ?? [card.offsetLeft, card.offsetTop];
    const [x, y] = [left - card.offsetLeft, top - card.offsetTop];
    if (x === 0 && y === 0) continue;
    card.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], {
      duration: 300,
      easing: 'cubic-bezier(0.2, 0, 0, 1)',
    });
  }
}
