import type { Text, TextNode } from '#modules/kit/text.ts';

type Saved = { readonly id: string; refs: number };

/**
 * The text nodes of one state that are in the store, each under an id. A node is counted once for each parent and
 * each place of the state that holds it, so that one shared by two texts goes only with the last of them.
 */
export type SavedTexts = {
  readonly nodes: WeakMap<TextNode, Saved>;
  roots: readonly TextNode[];
  nextId: number;
};

export type TextChanges = {
  /** New nodes, as JSON, children before parents. */
  readonly set: readonly (readonly [id: string, json: string])[];
  readonly del: readonly string[];
  idOf(text: Text): string;
  readonly nextId: number;
  /** The changes are in the store. */
  commit(): void;
};

export function noTexts(): SavedTexts {
  return { nodes: new WeakMap(), roots: [], nextId: 0 };
}

/**
 * What the store lacks of these texts and what it need not keep. Walks down to nodes that are saved already, so it
 * costs what was edited. Changes nothing until `commit`: a flush that failed is worked out again.
 */
export function changesOf(saved: SavedTexts, texts: readonly Text[]): TextChanges {
  const made = new Map<TextNode, string>();
  const counts = new Map<TextNode, number>();
  const set: [string, string][] = [];
  const del: string[] = [];
  let nextId = saved.nextId;

  const count = (node: TextNode, by: 1 | -1) => counts.set(node, (counts.get(node) ?? 0) + by);
  const idOf = (node: TextNode) => made.get(node) ?? saved.nodes.get(node)?.id;
  const add = (node: TextNode): string => {
    count(node, 1);
    const known = idOf(node);
    if (known !== undefined) return known;
    const id = (nextId++).toString(36);
    made.set(node, id);
    set.push([id, 's' in node ? JSON.stringify(node.s) : JSON.stringify([node.n, ...node.c.map(add)])]);
    return id;
  };
  const drop = (node: TextNode) => {
    count(node, -1);
    const known = saved.nodes.get(node);
    if (!known || known.refs + (counts.get(node) ?? 0) > 0) return;
    del.push(known.id);
    if ('c' in node) node.c.forEach(drop);
  };

  const roots = texts.map((text) => text.$text);
  for (const root of roots) add(root);
  for (const root of saved.roots) drop(root);
  return {
    set,
    del,
    nextId,
    idOf: (text) => idOf(text.$text) ?? '',
    commit: () => {
      for (const [node, by] of counts) {
        const known = saved.nodes.get(node);
        const id = made.get(node);
        if (known) known.refs += by;
        else if (id !== undefined) saved.nodes.set(node, { id, refs: by });
        if (known && known.refs <= 0) saved.nodes.delete(node);
      }
      saved.roots = roots;
      saved.nextId = nextId;
    },
  };
}

/** Puts a text together again, and counts its nodes as saved. `jsonOf` gives a node's field; throws where one is missing. */
export function loadText(
  saved: SavedTexts,
  byId: Map<string, TextNode>,
  id: string,
  jsonOf: (id: string) => string | undefined,
): TextNode {
  const known = byId.get(id);
  if (known) {
    const record = saved.nodes.get(known);
    if (record) record.refs += 1;
    return known;
  }
  const json = jsonOf(id);
  if (json === undefined) throw new Error('a stored text lacks a piece');
  const value = JSON.parse(json) as string | [number, ...string[]];
  const node: TextNode =
    typeof value === 'string'
      ? { s: value }
      : { n: value[0], c: value.slice(1).map((child) => loadText(saved, byId, child as string, jsonOf)) };
  byId.set(id, node);
  saved.nodes.set(node, { id, refs: 1 });
  return node;
}
