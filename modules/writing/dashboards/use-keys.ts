import { useEffect, useRef } from 'react';
import { type KeyAct, keyAct, moveIn } from './keys.ts';

type Does = (act: Exclude<KeyAct, { does: 'move' }>) => void;

/**
 * Listens to keys while the focus is in the dashboard or nowhere, never in a field, a menu or a dialog. Arrows work
 * between cards that have the focus.
 */
export function useKeys(letters: boolean, does: Does): void {
  const latest = useRef(does);
  useEffect(() => {
    latest.current = does;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isHere = target === document.body || target.closest('.lo-dash') !== null;
      if (!isHere || target.closest('input, select, textarea, dialog, [role="menu"], .lo-chart')) return;
      const act = keyAct(event, letters);
      if (!act) return;
      if (act.does === 'move') moveFocus(event, target, act.by);
      else {
        event.preventDefault();
        latest.current(act);
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [letters]);
}

function moveFocus(event: KeyboardEvent, target: HTMLElement, by: 'left' | 'right' | 'up' | 'down'): void {
  const grid = target.closest('.lo-grid');
  const cards = [...(grid?.querySelectorAll<HTMLElement>('.lo-card') ?? [])];
  const from = cards.findIndex((card) => card.contains(target));
  if (from < 0) return;
  event.preventDefault();
  const top = cards[0]?.offsetTop;
  const columns = cards.filter((card) => card.offsetTop === top).length;
  focusCard(cards[moveIn({ count: cards.length, columns }, from, by)]);
}

/** Focuses a card's link and brings it into sight. */
export function focusCard(card: Element | null | undefined): void {
  const link = card?.querySelector<HTMLElement>('.lo-card__name a');
  link?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: 'nearest' });
}
