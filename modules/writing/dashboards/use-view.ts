import { useAddress } from '#app/ui/address.ts';
import { ORDERS, type Order } from './order.ts';
import { COUNTED, type Counted } from './words.ts';

export type Face = 'cards' | 'table' | 'projector' | 'projector-cards';

/** What the address bar says of how the class is shown, and how to change it. */
export function useView() {
  const [show, setShow] = useAddress('show');
  const [find, setFind] = useAddress('find');
  const [flagged, setFlagged] = useAddress('flagged');
  const [order, setOrder] = useAddress('order');
  const [face, setFace] = useAddress('view');
  const [compact, setCompact] = useAddress('compact');
  const words = wordsOf(show);
  const showOnly = (chosen: ReadonlySet<Counted>) =>
    setShow(chosen.size === 0 ? null : [...chosen].map(inAddress).join('.'));
  return {
    filter: { words, find: find ?? '', flagged: flagged === 'yes' },
    order: ORDERS.find((known) => inAddress(known) === order) ?? ('roster' satisfies Order),
    face: FACES.find((known) => known === face) ?? ('cards' satisfies Face),
    isCompact: compact === 'yes',
    toggleWord: (word: Counted) => showOnly(words.symmetricDifference(new Set([word]))),
    setFind: (text: string) => setFind(text || null),
    setFlagged: (on: boolean) => setFlagged(on ? 'yes' : null),
    setOrder: (next: Order) => setOrder(next === 'roster' ? null : inAddress(next)),
    setFace: (next: Face) => setFace(next === 'cards' ? null : next),
    setCompact: (on: boolean) => setCompact(on ? 'yes' : null),
    clear: () => {
      setShow(null);
      setFind(null);
      setFlagged(null);
    },
  };
}
export type View = ReturnType<typeof useView>;

const FACES: readonly Face[] = ['cards', 'table', 'projector', 'projector-cards'];
const inAddress = (word: string) => word.replaceAll(' ', '-');

function wordsOf(show: string | null): Set<Counted> {
  const asked = show?.split('.') ?? [];
  return new Set(COUNTED.filter((word) => asked.includes(inAddress(word))));
}
