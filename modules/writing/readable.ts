/** Stands for one character that was never seen, so that later positions stay right. A noncharacter of Unicode. */
export const GAP = '\uFDD0';

const runs = /\uFDD0+/g;
const forbidden = /[\0\uFDD0]/;
const allForbidden = /[\0\uFDD0]/g;

/** A text as people and other programs get it: each run of characters not seen is one `…`. */
export function readable(text: string): string {
  return text.includes(GAP) ? text.replace(runs, '…') : text;
}

/** Makes characters harmless that a text must not hold; lengths stay, so positions hold. */
export function clean(text: string): string {
  return forbidden.test(text) ? text.replace(allForbidden, '\uFFFD') : text;
}

export function countGaps(text: string): number {
  let gaps = 0;
  for (let i = text.indexOf(GAP); i !== -1; i = text.indexOf(GAP, i + 1)) gaps += 1;
  return gaps;
}
