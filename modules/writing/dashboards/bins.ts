import type { Bin, ClassRow } from './class-row.ts';

export const BIN_SECONDS = 30;
export const BINS_SHOWN = 30;

type Binned = Pick<ClassRow, 'bins' | 'bin' | 'binAt'>;
/** Each delta asks for those of all rows, for the height that they share; the row of a student who did not write is the same. */
const shown = new WeakMap<Binned, { readonly slot: number; readonly bins: readonly Bin[] }>();

const NOTHING: Bin = [0, 0, 0, 0, 0];

/**
 * The last `count` half minutes of a row as seen at `slot` (seconds ÷ 30, whole), oldest first: what the row holds,
 * moved back by the time that has passed since it was sent. A half minute before the first known one is empty.
 */
export function binsAt(row: Binned, slot: number, count: number = BINS_SHOWN): readonly Bin[] {
  if (count !== BINS_SHOWN) return moved(row, slot, count);
  const known = shown.get(row);
  if (known?.slot === slot) return known.bins;
  const bins = moved(row, slot, count);
  shown.set(row, { slot, bins });
  return bins;
}

function moved(row: Binned, slot: number, count: number): readonly Bin[] {
  const running = Math.floor(row.binAt / BIN_SECONDS);
  const closed = row.bins === '' ? [] : row.bins.split(';').map(binOf);
  return Array.from({ length: count }, (_, i) => {
    const back = running - (slot - (count - 1 - i));
    if (back === 0) return row.bin;
    return back > 0 ? (closed[closed.length - back] ?? NOTHING) : NOTHING;
  });
}

function binOf(text: string): Bin {
  const [added = 0, removed = 0, away = 0, netWords = 0, activeSeconds = 0] = text.split(' ').map(Number);
  return [added, removed, away, netWords, activeSeconds];
}

/** Field by field, the sum of some half minutes. */
export function sumOf(bins: readonly Bin[]): Bin {
  return bins.reduce<Bin>(
    (sum, bin) => [sum[0] + bin[0], sum[1] + bin[1], sum[2] + bin[2], sum[3] + bin[3], sum[4] + bin[4]],
    NOTHING,
  );
}

export const slotOf = (now: number) => Math.floor(now / (BIN_SECONDS * 1000));
