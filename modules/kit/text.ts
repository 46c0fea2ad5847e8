import { childAt, leafAt, pieceOfLeaf, sizeOf, withLeaf } from './text-place.ts';

/**
 * A long string as a tree of chunks, so that one edit costs the same in a page and in a book. Plain JSON: a leaf is
 * `{ s }`, an inner node `{ n, c }` with `n` the characters (UTF-16 units) below it. Immutable: an edit shares
 * every node that it did not touch, and the state store writes only nodes it has not written before.
 */
export type TextLeaf = { readonly s: string };
export type TextInner = { readonly n: number; readonly c: readonly TextNode[] };
export type TextNode = TextLeaf | TextInner;
export type Text = { readonly $text: TextNode };

// A leaf is cut when it outgrows the maximum and joined to a neighbour below the minimum. Between the two
// lies room, so that typing and deleting around one place does not cut and join at every key. Each edit writes one
// leaf anew, into memory and into the store; each leaf is a field of the store.
const LEAF = { min: 256, cut: 640, max: 1024 };
const FAN = { min: 8, cut: 24, max: 32 };

/** The one shape by which the state store recognises a text inside a state. */
export function isText(value: unknown): value is Text {
  return typeof value === 'object' && value !== null && (value as Partial<Text>).$text !== undefined;
}

/** A text of these characters. */
export function of(value: string): Text {
  return { $text: rootOf(leavesOf(value)) };
}

/** Characters (UTF-16 units, as in a string's `length`); costs nothing. */
export function length(text: Text): number {
  return sizeOf(text.$text);
}

/** Characters `[from, to)`, positions outside the text moved to its ends; cost grows with the piece, not with the text. */
export function slice(text: Text, from: number, to: number = length(text)): string {
  const start = within(text, from);
  const end = within(text, to);
  return start < end ? (pieceOfLeaf(text.$text, start, end) ?? pieceOfLeaves(text.$text, start, end)) : '';
}

/** Puts `value` before the character at `at`; a position outside the text is moved to its nearer end. */
export function insert(text: Text, at: number, value: string): Text {
  const place = within(text, at);
  return value === '' ? text : { $text: edited(text.$text, place, place, value) };
}

/** Removes `[from, to)`, positions outside the text moved to its ends. The same text back when that is nothing. */
export function remove(text: Text, from: number, to: number): Text {
  const start = within(text, from);
  const end = within(text, to);
  return start >= end ? text : { $text: edited(text.$text, start, end, '') };
}

/** All characters as one string; cost grows with the text. */
export function whole(text: Text): string {
  return slice(text, 0);
}

function within(text: Text, at: number): number {
  return Math.min(Math.max(Math.trunc(at) || 0, 0), length(text));
}

function pieceOfLeaves(root: TextNode, from: number, to: number): string {
  const pieces: string[] = [];
  collect(root, from, to, pieces);
  return pieces.join('');
}

function collect(node: TextNode, from: number, to: number, into: string[]): void {
  if (from >= to) return;
  if ('s' in node) {
    into.push(node.s.slice(from, to));
    return;
  }
  let { index, start } = childAt(node, from, 'right');
  for (; start < to; index += 1) {
    const child = node.c[index] as TextNode;
    const end = start + sizeOf(child);
    collect(child, Math.max(from - start, 0), Math.min(to, end) - start, into);
    start = end;
  }
}

/** Most edits leave one leaf a little longer or shorter: those need not look at its neighbours. */
function edited(root: TextNode, from: number, to: number, value: string): TextNode {
  const at = leafAt(root, from, to);
  const after = at === undefined ? 0 : at.leaf.s.length - (to - from) + value.length;
  if (at === undefined || at.leaf.s === '' || after < (at.isRoot ? 1 : LEAF.min) || after > LEAF.max)
    return rootOf(replace(root, from, to, value));
  return withLeaf({ s: spliced(at.leaf.s, from - at.start, to - at.start, value) });
}

/** The nodes, as high as `node`, that stand in its place when `value` has replaced `[from, to)`. All leaves lie equally deep. */
function replace(node: TextNode, from: number, to: number, value: string): readonly TextNode[] {
  return 's' in node ? replaceInLeaf(node, from, to, value) : replaceInInner(node, from, to, value);
}

function replaceInLeaf({ s }: TextLeaf, from: number, to: number, value: string): readonly TextNode[] {
  const after = s.length - (to - from) + value.length;
  if (s === '') return leavesOf(value);
  if (after > LEAF.max) return leavesOf(s.slice(0, from) + value + s.slice(to));
  return after === 0 ? [] : [{ s: spliced(s, from, to, value) }];
}

function spliced(s: string, from: number, to: number, value: string): string {
  return copied([s.slice(0, from), value, s.slice(to)]);
}

function replaceInInner(node: TextInner, from: number, to: number, value: string): readonly TextNode[] {
  const { n, c } = node;
  // An insertion between two children belongs to the left one: typing goes on where it was.
  const { index: first, start: begin } = childAt(node, from, to > from ? 'right' : 'left');
  let start = begin;
  let size = sizeOf(c[first] as TextNode);
  const edited = replace(c[first] as TextNode, from - start, Math.min(to - start, size), value);
  const [only] = edited;
  if (start + size >= to && edited.length === 1 && only && !isSmall(only)) {
    const children = c.slice();
    children[first] = only;
    return [{ n: n - (to - from) + value.length, c: children }];
  }
  const fresh = [...edited];
  let past = first + 1;
  for (start += size; start < to; start += size) {
    size = sizeOf(c[past] as TextNode);
    if (start + size > to) fresh.push(...replace(c[past] as TextNode, 0, to - start, ''));
    past += 1;
  }
  return innersOf(joinSmall(c.toSpliced(first, past - first, ...fresh)));
}

function isSmall(node: TextNode): boolean {
  return 's' in node ? node.s.length < LEAF.min : node.c.length < FAN.min;
}

/** Joins each node that is too small to its neighbour. */
function joinSmall(nodes: readonly TextNode[]): readonly TextNode[] {
  const joined: TextNode[] = [];
  for (const node of nodes) {
    const last = joined.at(-1);
    if (last && (isSmall(last) || isSmall(node))) joined.splice(-1, 1, ...join(last, node));
    else joined.push(node);
  }
  return joined;
}

/** Two neighbours as one node or, where that were too large, as two or more of like size. */
function join(left: TextNode, right: TextNode): readonly TextNode[] {
  if ('s' in left) return leavesOf(left.s + ('s' in right ? right.s : ''));
  return innersOf(joinSmall([...left.c, ...('s' in right ? [] : right.c)]));
}

function leavesOf(value: string): readonly TextNode[] {
  return spans(value.length, LEAF).map(([from, to]) => ({ s: copied([value.slice(from, to)]) }));
}

function innersOf(children: readonly TextNode[]): readonly TextNode[] {
  return spans(children.length, FAN).map(([from, to]) => {
    const c = children.slice(from, to);
    return { n: c.reduce((sum, child) => sum + sizeOf(child), 0), c };
  });
}

/** `[0, total)` in one span or, above the maximum, in spans that differ by one at most. */
function spans(
  total: number,
  { cut, max }: { readonly cut: number; readonly max: number },
): [number, number][] {
  const count = total > max ? Math.ceil(total / cut) : Math.min(total, 1);
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * total) / count),
    Math.floor(((i + 1) * total) / count),
  ]);
}

function rootOf(nodes: readonly TextNode[]): TextNode {
  let level = nodes;
  while (level.length > 1) level = innersOf(level);
  let root = level[0] ?? { s: '' };
  while ('c' in root && root.c.length === 1) root = root.c[0] as TextNode;
  return root;
}

/**
 * The pieces as one string that holds nothing but its own characters. A slice or a sum in V8 points into the strings
 * it was made from, and would keep a whole book alive for one chunk; `join` of two pieces or more writes them anew.
 */
function copied(pieces: readonly string[]): string {
  return pieces.length > 1 ? pieces.join('') : [pieces[0]?.slice(0, 1), pieces[0]?.slice(1)].join('');
}
