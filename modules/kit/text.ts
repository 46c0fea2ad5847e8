/**
 * A long string as a tree of chunks, so that one edit costs the same in a page and in a book. Plain JSON: a leaf is
 * `{ s }`, an inner node `{ n, c }` with `n` the characters (UTF-16 units) below it. Immutable: an edit shares
 * every node that it did not touch, and the state store writes only nodes it has not written before.
 */
export type TextLeaf = { readonly s: string };
export type TextInner = { readonly n: number; readonly c: readonly TextNode[] };
export type TextNode = TextLeaf | TextInner;
export type Text = { readonly $text: TextNode };

/** The one shape by which the state store recognises a text inside a state. */
export function isText(value: unknown): value is Text {
  return typeof value === 'object' && value !== null && '$text' in value;
}

export declare function of(value: string): Text;
export declare function length(text: Text): number;
/** Characters `[from, to)`; cost grows with the piece, not with the text. */
export declare function slice(text: Text, from: number, to?: number): string;
export declare function insert(text: Text, at: number, value: string): Text;
/** Removes `[from, to)`. */
export declare function remove(text: Text, from: number, to: number): Text;
export declare function whole(text: Text): string;
