import { COUNTED, type Counted } from './words.ts';

export type KeyAct =
  | { readonly does: 'filter'; readonly word: Counted }
  | { readonly does: 'clear' | 'find' | 'projector' | 'table' | 'help' }
  | { readonly does: 'move'; readonly by: 'left' | 'right' | 'up' | 'down' };

const ACTS: Readonly<Record<string, KeyAct>> = {
  '0': { does: 'clear' },
  '/': { does: 'find' },
  p: { does: 'projector' },
  t: { does: 'table' },
  '?': { does: 'help' },
  ...Object.fromEntries(COUNTED.map((word, i) => [String(i + 1), { does: 'filter', word } as const])),
};

const MOVES: Readonly<Record<string, KeyAct>> = {
  ArrowLeft: { does: 'move', by: 'left' },
  ArrowRight: { does: 'move', by: 'right' },
  ArrowUp: { does: 'move', by: 'up' },
  ArrowDown: { does: 'move', by: 'down' },
};

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** What a key means on the class dashboard; null: nothing. Arrows always count, letters only while `letters`. */
export function keyAct(pressed: Pressed, letters: boolean): KeyAct | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  return MOVES[pressed.key] ?? (letters ? (ACTS[pressed.key] ?? null) : null);
}

/** The place to go to from `from` among `count` cards in rows of `columns`; stays at an edge. */
export function moveIn(
  { count, columns }: { readonly count: number; readonly columns: number },
  from: number,
  by: 'left' | 'right' | 'up' | 'down',
): number {
  const to = from + { left: -1, right: 1, up: -columns, down: columns }[by];
  return to < 0 || to >= count ? from : to;
}

/** For the list that `?` opens. */
export const KEY_LIST: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['←', '→', '↑', '↓'], 'from card to card'],
  [['Enter'], 'open the student’s page'],
  [['1', '…', '6'], 'show only one word; again: all'],
  [['0'], 'show all'],
  [['/'], 'find a student'],
  [['t'], 'cards or table'],
  [['p'], 'projector, names hidden'],
  [['?'], 'this list'],
];
