/** One replacement: at `pos` (UTF-16 units) `cut` characters go and `put` comes. */
export type Change = readonly [pos: number, cut: number, put: string];

/**
 * What turns one text into the other: one replacement between their common beginning and end. `cursor` is where the
 * caret stands in the new text; it settles which of several equal letters was typed. Undefined: nothing changed.
 */
export function changeBetween(before: string, after: string, cursor: number): Change | undefined {
  if (before === after) return undefined;
  const shorter = Math.min(before.length, after.length);
  const end = commonEnd(before, after, Math.min(shorter, Math.max(0, after.length - cursor)));
  const start = commonStart(before, after, shorter - end);
  // What the caret kept out of the common end may still be equal behind a pure move of it.
  const rest = commonEnd(before, after, shorter - start);
  const tail = Math.max(end, Math.min(rest, shorter - start));
  return [start, before.length - start - tail, after.slice(start, after.length - tail)];
}

function commonStart(a: string, b: string, most: number): number {
  let n = 0;
  while (n < most && a.charCodeAt(n) === b.charCodeAt(n)) n += 1;
  return n;
}

function commonEnd(a: string, b: string, most: number): number {
  let n = 0;
  while (n < most && a.charCodeAt(a.length - 1 - n) === b.charCodeAt(b.length - 1 - n)) n += 1;
  return n;
}

export function applyChange(text: string, [pos, cut, put]: Change): string {
  return text.slice(0, pos) + put + text.slice(pos + cut);
}
