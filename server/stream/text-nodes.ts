import type { Text, TextInner, TextNode } from '#modules/kit/text.ts';

/** A node in the store. `refs`: parents and places of the state that hold it. `children`: their ids, of an inner node. */
type Saved = { readonly id: string; refs: number; readonly children: readonly string[] | null };

/**
 * The text nodes of one state that are in the store, each under an id. A node is counted once for each parent and
 * each place of the state that holds it, so that one shared by two texts goes only with the last of them.
 */
export type SavedTexts = {
  readonly nodes: Map<TextNode, Saved>;
  roots: readonly TextNode[];
  nextId: number;
};

export type TextChanges = {
  /** New nodes, as JSON. */
  readonly set: readonly (readonly [id: string, json: string])[];
  readonly del: readonly string[];
  idOf(text: Text): string;
  readonly nextId: number;
  readonly commit: TextCommit;
};

/** What `saved` is to be once the changes are in the store. Thousands of these wait for it: no JSON, no map, no function. */
export type TextCommit = {
  readonly saved: SavedTexts;
  readonly steps: readonly Step[];
  readonly roots: readonly TextNode[];
  readonly nextId: number;
};

/** So many more hold the node; `made`: it is new. */
type Step = { readonly node: TextNode; readonly by: number; readonly made: Saved | undefined };

/** An inner node in the place of a saved one: all children but those between `from` and `to` are the same. */
type Replaced = { readonly old: TextInner; readonly from: number; readonly to: number };

export function noTexts(): SavedTexts {
  return { nodes: new Map(), roots: [], nextId: 0 };
}

/**
 * What the store lacks of these texts and what it need not keep. Walks down to nodes that are saved already, and beside
 * the tree that was saved last, so it costs what was edited. Changes nothing until `commit`: a flush that failed is
 * worked out again.
 */
export function changesOf(saved: SavedTexts, texts: readonly Text[]): TextChanges {
  const made = new Map<TextNode, Saved>();
  const counts = new Map<TextNode, number>();
  const replaced: Replaced[] = [];
  const dropped: TextNode[] = [];
  const set: [string, string][] = [];
  const del: string[] = [];
  let nextId = saved.nextId;

  const count = (node: TextNode, by: number) => counts.set(node, (counts.get(node) ?? 0) + by);

  function keep(node: TextNode, children: readonly string[] | null): string {
    const id = (nextId++).toString(36);
    made.set(node, { id, refs: 0, children });
    set.push([
      id,
      children && 'n' in node
        ? `[${node.n},"${children.join('","')}"]`
        : JSON.stringify('s' in node ? node.s : ''),
    ]);
    return id;
  }

  /** One more holds the node. */
  function add(node: TextNode): string {
    count(node, 1);
    const known = made.get(node) ?? saved.nodes.get(node);
    if (known) return known.id;
    return keep(node, 'c' in node ? node.c.map(add) : null);
  }

  /** The node stands where `old` stood. Most edits change one child of each node on the way down. */
  function put(node: TextNode, old: TextNode): string {
    const before = saved.nodes.get(old);
    const isOwn =
      before?.children &&
      before.refs === 1 &&
      'c' in old &&
      'c' in node &&
      !saved.nodes.has(node) &&
      !made.has(node);
    if (!isOwn || !before.children) {
      dropped.push(old);
      return add(node);
    }
    count(node, 1);
    const [from, to, end] = between(old.c, node.c);
    const middle =
      to - from === 1 && end - from === 1
        ? [put(node.c[from] as TextNode, old.c[from] as TextNode)]
        : node.c.slice(from, end).map(add);
    replaced.push(to - from === 1 && end - from === 1 ? { old, from, to: from } : { old, from, to });
    return keep(node, [...before.children.slice(0, from), ...middle, ...before.children.slice(to)]);
  }

  /** One less holds the node; it goes with the last. */
  function drop(node: TextNode): void {
    count(node, -1);
    const known = saved.nodes.get(node);
    if (!known || known.refs + (counts.get(node) ?? 0) > 0) return;
    del.push(known.id);
    if ('c' in node) node.c.forEach(drop);
  }

  const roots = texts.map((text) => text.$text);
  roots.forEach((root, i) => {
    const old = saved.roots[i];
    if (root === old) return;
    if (old) put(root, old);
    else add(root);
  });
  dropped.push(...saved.roots.slice(roots.length));
  // What was put in another's place has its children, unless someone else still holds that other; parents first.
  for (const { old, from, to } of replaced.reverse()) {
    if ((counts.get(old) ?? 0) > 0) {
      for (let i = 0; i < old.c.length; i++) if (i < from || i >= to) count(old.c[i] as TextNode, 1);
      count(old, -1);
      continue;
    }
    count(old, -1);
    del.push(saved.nodes.get(old)?.id ?? '');
    dropped.push(...old.c.slice(from, to));
  }
  for (const node of dropped) drop(node);

  return {
    set,
    del,
    nextId,
    idOf: (text) => (made.get(text.$text) ?? saved.nodes.get(text.$text))?.id ?? '',
    commit: { saved, steps: stepsOf(counts, made), roots, nextId },
  };
}

function stepsOf(counts: ReadonlyMap<TextNode, number>, made: ReadonlyMap<TextNode, Saved>): readonly Step[] {
  const steps: Step[] = [];
  for (const [node, by] of counts) steps.push({ node, by, made: made.get(node) });
  return steps;
}

/** The changes are in the store. */
export function commitTexts({ saved, steps, roots, nextId }: TextCommit): void {
  for (const { node, by, made } of steps) {
    const known = made ?? saved.nodes.get(node);
    if (!known) continue;
    known.refs += by;
    if (known.refs <= 0) saved.nodes.delete(node);
    else if (made) saved.nodes.set(node, known);
  }
  saved.roots = roots;
  saved.nextId = nextId;
}

/** The children that differ: from, to in the old list, to in the new one. */
function between(old: readonly TextNode[], now: readonly TextNode[]): readonly [number, number, number] {
  let from = 0;
  while (from < old.length && from < now.length && old[from] === now[from]) from++;
  let to = old.length;
  let end = now.length;
  while (to > from && end > from && old[to - 1] === now[end - 1]) {
    to--;
    end--;
  }
  return [from, to, end];
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
  const children = typeof value === 'string' ? null : (value.slice(1) as string[]);
  const node: TextNode =
    typeof value === 'string'
      ? { s: value }
      : { n: value[0], c: (children ?? []).map((child) => loadText(saved, byId, child, jsonOf)) };
  byId.set(id, node);
  saved.nodes.set(node, { id, refs: 1, children });
  return node;
}
