import { describe, expect, it } from 'vitest';
import { defineReducer, type Reducer, scope, student, type Text, text } from '#modules/kit/index.ts';
import type { StudentWrites } from '#server/state/state-store.ts';
import { commit, cutOf, studentFrom, uncut, writesOf } from './persist.ts';
import { planOf } from './plan.ts';
import { allCells, type Cell, type HotStudent, newCell, newStudent } from './student.ts';
import { count, folds, marks, randomOf } from './testing.ts';

type State = { readonly texts: readonly Text[]; readonly note: string };
const reducer: Reducer<State> = defineReducer({
  name: 'doc',
  source: marks,
  scope: scope(student),
  initial: { texts: [], note: '' } as State,
  on: {},
});
const plan = planOf([reducer]);
const KEY = 'doc.v1:student=ada';

/** A store of one student: a map of fields. */
function openFields() {
  const fields = new Map<string, string>();
  return {
    fields,
    take({ set, del }: StudentWrites) {
      for (const field of del) expect(fields.delete(field), `${field} was never there`).toBe(true);
      for (const [field, value] of set) fields.set(field, value);
    },
  };
}

function cellWith(hot: HotStudent): Cell {
  return [...allCells(hot)][0] ?? newCell(hot, plan.all[0] as (typeof plan.all)[number], '', KEY);
}

function put(hot: HotStudent, state: State): void {
  const cell = cellWith(hot);
  cell.state = state;
  if (cell.isDirty) return;
  cell.isDirty = true;
  hot.dirty.push(cell);
}

function stateOf(fields: ReadonlyMap<string, string>): unknown {
  return cellWith(studentFrom('ada', { checkpoint: 0, fields }, plan)).state;
}

const long = (size: number) => text.of('0123456789'.repeat(size / 10));

describe('states as fields', () => {
  it('come back as the same bytes, trees of texts included', () => {
    const hot = newStudent('ada', plan);
    const { fields, take } = openFields();
    put(hot, { texts: [long(50_000), text.of(''), text.of('"ü\ud83d\ude00\n')], note: 'a' });
    take(writesOf(cutOf(hot, plan)).writes);
    expect(JSON.stringify(stateOf(fields))).toBe(JSON.stringify(cellWith(hot).state));
  });

  it.each([
    ['no text', { texts: [], note: 'ü"' }],
    ['a text without a character alone', { texts: [text.of('')], note: '' }],
    ['words that look like a text', { texts: [], note: '{"$text":{"s":""}}' }],
  ])('come back as the same bytes with %s', (_what, state) => {
    const hot = newStudent('ada', plan);
    const { fields, take } = openFields();
    put(hot, state);
    take(writesOf(cutOf(hot, plan)).writes);
    expect(JSON.stringify(stateOf(fields))).toBe(JSON.stringify(state));
    expect(fields.size).toBe(2 + state.texts.length);
  });

  it('are written by what was edited, not by the length of a text', () => {
    const writtenBy = (size: number) => {
      const hot = newStudent('ada', plan);
      put(hot, { texts: [long(size)], note: '' });
      writesOf(cutOf(hot, plan)).commits.forEach(commit);
      const { texts } = cellWith(hot).state as State;
      put(hot, { texts: [text.insert(texts[0] as Text, size / 2, 'x')], note: '' });
      const { writes } = writesOf(cutOf(hot, plan));
      expect(writes.del.length).toBeLessThan(5);
      return writes.set.reduce((sum, [, value]) => sum + value.length, 0);
    };
    expect(writtenBy(500_000)).toBeLessThan(2 * writtenBy(5_000));
  });

  it('are written again whole when a flush failed', () => {
    const hot = newStudent('ada', plan);
    const { fields, take } = openFields();
    put(hot, { texts: [long(9_000)], note: '' });
    const lost = cutOf(hot, plan);
    writesOf(lost);
    put(hot, { texts: [text.insert((cellWith(hot).state as State).texts[0] as Text, 0, 'y')], note: '' });
    uncut(lost);
    const { writes, commits } = writesOf(cutOf(hot, plan));
    take(writes);
    commits.forEach(commit);
    expect(JSON.stringify(stateOf(fields))).toBe(JSON.stringify(cellWith(hot).state));
  });

  const anySeed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  // The first two once failed: a text was doubled and edited within one flush.
  it.each([498024467, 378283271, anySeed])(
    'leave no piece behind, and miss none, under random edits, sharing, failures and loads: seed %i',
    (seed) => {
      const random = randomOf(seed);
      const { fields, take } = openFields();
      let hot = newStudent('ada', plan);
      put(hot, { texts: [long(90_000), long(6_000)], note: '' });
      for (let round = 0; round < 400; round++) {
        const { texts } = cellWith(hot).state as State;
        put(hot, { texts: edited(texts, random), note: 'x'.repeat(random(9)) });
        if (random(3) === 0) continue;
        const cut = cutOf(hot, plan);
        const { writes, commits } = writesOf(cut);
        if (random(4) === 0) {
          uncut(cut);
          continue;
        }
        take(writes);
        commits.forEach(commit);
        expect(fields.size).toBe(2 + nodesIn(cellWith(hot).state as State).size);
        expect(JSON.stringify(stateOf(fields))).toBe(JSON.stringify(cellWith(hot).state));
        if (random(10) === 0) hot = studentFrom('ada', { checkpoint: 0, fields }, plan);
      }
    },
  );

  it('refuse to give a text that lacks a piece', () => {
    const hot = newStudent('ada', plan);
    const { fields, take } = openFields();
    put(hot, { texts: [long(9_000)], note: '' });
    take(writesOf(cutOf(hot, plan)).writes);
    fields.delete(`${KEY}#1`);
    expect(() => stateOf(fields)).toThrow('lacks a piece');
  });

  it('name what folded them: another version is missing, and so is what hears its emits', () => {
    const before = planOf(folds);
    const hot = newStudent('ada', before);
    newCell(hot, before.of(count) as NonNullable<ReturnType<typeof before.of>>, '', 'count.v1:student=ada');
    hot.dirty = [...allCells(hot)];
    const { fields, take } = openFields();
    take(writesOf(cutOf(hot, before)).writes);
    const raised = folds.map((one) =>
      one.name === 'count' || one.name === 'rippler' ? { ...one, version: 2 } : one,
    );
    const found = studentFrom('ada', { checkpoint: 0, fields }, planOf(raised));
    expect(new Set([...(found.skips ?? [])].map((one) => one.name))).toEqual(
      new Set(['count.v2', 'echoed.v1', 'rippler.v2']),
    );
    expect([...found.folded].map((one) => one.name)).toEqual(['ids.v1', 'running-hash.v1']);
    expect(found.dead).toEqual(['count.v1:student=ada']);
    expect(studentFrom('ada', { checkpoint: 0, fields }, before).skips).toBeNull();
  });
});

/** Edits a text, doubles one, drops one, or makes one of another's halves. */
function edited(texts: readonly Text[], random: (below: number) => number): readonly Text[] {
  const i = random(texts.length);
  const one = texts[i] ?? text.of('');
  const at = random(text.length(one) + 1);
  switch (random(8)) {
    case 0:
      return texts.length < 5 ? [...texts, one] : texts;
    case 1:
      return texts.length > 1 ? texts.toSpliced(i, 1) : texts;
    case 2:
      return texts.with(i, text.remove(one, at, at + random(3_000)));
    default:
      return texts.with(i, text.insert(one, at, 'z'.repeat(1 + random(500))));
  }
}

function nodesIn({ texts }: State): ReadonlySet<unknown> {
  const nodes = new Set<unknown>();
  const visit = (node: Text['$text']) => {
    nodes.add(node);
    if ('c' in node) node.c.forEach(visit);
  };
  for (const one of texts) visit(one.$text);
  return nodes;
}
