import type { TextInner, TextLeaf, TextNode } from './text.ts';

/**
 * Where in a text something was last read or written: the leaf, its characters `[start, end)` of the whole, and the
 * nodes from the root down to it, each with the index of the child that was taken. Several reads and a write at one
 * place, as an edit makes them, so descend once. It tells nothing that a descent would not: nodes never change, and it
 * holds for the root it names alone.
 */
type Place = {
  root: TextNode | null;
  leaf: TextLeaf;
  start: number;
  end: number;
  readonly parents: TextInner[];
  readonly indexes: number[];
};

const place: Place = { root: null, leaf: { s: '' }, start: 0, end: 0, parents: [], indexes: [] };

/** Characters (UTF-16 units) below a node. */
export function sizeOf(node: TextNode): number {
  return 's' in node ? node.s.length : node.n;
}

/** The child in which a position lies, looked for from the nearer end; between two, the one on that side. */
export function childAt(
  { n, c }: TextInner,
  at: number,
  side: 'left' | 'right',
): { readonly index: number; readonly start: number } {
  // Between two whole numbers, so that a position never falls on a border.
  const inside = side === 'left' ? Math.max(at, 1) - 0.5 : at + 0.5;
  if (inside > n / 2) {
    let index = c.length - 1;
    let start = n - sizeOf(c[index] as TextNode);
    while (start > inside) start -= sizeOf(c[--index] as TextNode);
    return { index, start };
  }
  let index = 0;
  let start = 0;
  for (let end = sizeOf(c[0] as TextNode); end < inside; end += sizeOf(c[index] as TextNode)) {
    start = end;
    index += 1;
  }
  return { index, start };
}

function seek(root: TextNode, at: number, side: 'left' | 'right'): void {
  let node = root;
  let begin = 0;
  let depth = 0;
  while ('c' in node) {
    const { index, start } = childAt(node, at - begin, side);
    place.parents[depth] = node;
    place.indexes[depth] = index;
    depth += 1;
    begin += start;
    node = node.c[index] as TextNode;
  }
  place.parents.length = depth;
  place.root = root;
  place.leaf = node;
  place.start = begin;
  place.end = begin + node.s.length;
}

/** Characters `[from, to)`, not none, where one leaf holds them all. */
export function pieceOfLeaf(root: TextNode, from: number, to: number): string | undefined {
  if (place.root !== root || from < place.start || from >= place.end) seek(root, from, 'right');
  return to > place.end ? undefined : place.leaf.s.slice(from - place.start, to - place.start);
}

/**
 * The leaf whose characters `[from, to)` an edit replaces, and where it begins; undefined where several are touched.
 * An insertion between two leaves belongs to the left one: typing goes on where it was.
 */
export function leafAt(
  root: TextNode,
  from: number,
  to: number,
): { readonly leaf: TextLeaf; readonly start: number; readonly isRoot: boolean } | undefined {
  const isKnown =
    place.root === root &&
    (to > from
      ? from >= place.start && from < place.end
      : (from > place.start || from === 0) && from >= place.start && from <= place.end);
  if (!isKnown) seek(root, from, to > from ? 'right' : 'left');
  return to > place.end
    ? undefined
    : { leaf: place.leaf, start: place.start, isRoot: place.parents.length === 0 };
}

/** The root above the leaf that `leafAt` gave, with `leaf` in its place; every node beside the way is shared. */
export function withLeaf(leaf: TextLeaf): TextNode {
  const by = leaf.s.length - place.leaf.s.length;
  let node: TextNode = leaf;
  for (let depth = place.parents.length - 1; depth >= 0; depth -= 1) {
    const { n, c } = place.parents[depth] as TextInner;
    const children = c.slice();
    children[place.indexes[depth] as number] = node;
    node = { n: n + by, c: children };
    place.parents[depth] = node;
  }
  place.root = node;
  place.leaf = leaf;
  place.end += by;
  return node;
}
