import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  defineEventSource,
  defineReducer,
  keyField,
  type Reducer,
  scope,
  student,
  text,
} from '#modules/kit/index.ts';
import type { Entry } from '#server/archive/entry.ts';
import { applyEntry, type Folding } from './apply.ts';
import { planOf } from './plan.ts';
import { allCells, type HotStudent, newStudent } from './student.ts';

const source = defineEventSource({ name: 'pad', events: { typed: z.object({ n: z.number() }) } });
const echo = defineEventSource({
  name: 'echo',
  events: {
    said: z.object({ n: z.number() }),
    row: z.object({ objectId: z.string(), playId: z.string().optional() }),
  },
});

function foldingOf(reducers: readonly Reducer[], more: Partial<Folding> = {}): Folding {
  return { plan: planOf(reducers), onStep: () => {}, isStuck: () => false, onHalt: () => {}, ...more };
}

function entry(o: number, ns: readonly number[], more: Partial<Entry> = {}): Entry {
  const ev = ns.map((n) => ({ event: 'typed', body: { n } }));
  return { o, k: 'batch', t: 5_000, s: 'ada', p: 'p', e: 1, f: 10 * o + 1, src: 'pad', off: 0, ev, ...more };
}

/** Applies one entry per list of numbers; gives each state and halt by reducer name. */
function run(
  reducers: readonly Reducer[],
  entries: readonly (readonly number[])[],
  more: Partial<Folding> = {},
) {
  const folding = foldingOf(reducers, more);
  const hot = newStudent('ada', folding.plan);
  const changed = entries.map((ns, o) => applyEntry(folding, hot, entry(o, ns)));
  return { states: statesOf(hot), halts: haltsOf(hot), changed, hot };
}

function statesOf(hot: HotStudent) {
  return Object.fromEntries([...allCells(hot)].map((cell) => [cell.folded.reducer.name, cell.state]));
}

function haltsOf(hot: HotStudent) {
  return Object.fromEntries([...allCells(hot)].map((cell) => [cell.folded.reducer.name, cell.halt]));
}

/** A reducer over `typed` with this step. */
function reducer(name: string, step: (state: any, event: any) => unknown, initial: unknown = 0): Reducer {
  return defineReducer({ name, source, scope: scope(student), initial: initial as any, on: { typed: step } });
}

const sum = reducer('sum', (state, event) => state + event.n);

describe('a step', () => {
  it('that gives the same reference back changed nothing', () => {
    const { changed, hot } = run([reducer('same', (state) => state, { a: 1 })], [[1]]);
    expect(changed).toEqual([[]]);
    expect([...allCells(hot)]).toEqual([]);
  });

  it('is skipped where a field of the scope is absent, or reading it throws', () => {
    const none = keyField('doc', (event: any) => event.doc);
    const throws = keyField('doc', (event: any) => event.doc.id);
    const on = { typed: (state: number) => state + 1 };
    const skipping = [none, throws].map((field, i) =>
      defineReducer({ name: `skips-${i}`, source, scope: scope(student, field), initial: 0, on: on as any }),
    );
    expect(run([...skipping, sum], [[1, 2]]).states).toEqual({ sum: 3 });
  });

  it('that throws halts its key with the value before, and nothing else', () => {
    const bad = reducer('bad', (state, event) => {
      if (event.n === 3) throw new Error('three');
      return state + event.n;
    });
    const { states, halts } = run([bad, sum], [[1, 2], [5, 3, 7], [9]]);
    expect(states).toEqual({ bad: 8, sum: 27 });
    expect(halts).toEqual({
      bad: { position: '0:1:1', at: 5_000, code: 'threw', message: 'three' },
      sum: null,
    });
  });

  it('halts one key of a reducer and not the others', () => {
    const doc = keyField('doc', (event: { n: number }) => String(event.n % 2));
    const odd = defineReducer({
      name: 'odd',
      source,
      scope: scope(student, doc),
      initial: 0,
      on: {
        typed: (state, event) => {
          if (event.n === 3) throw new Error('three');
          return state + event.n;
        },
      },
    });
    const { hot } = run([odd], [[1, 2, 3, 4, 5]]);
    const cells = [...allCells(hot)].map(({ key, state, halt }) => [key, state, halt?.code]);
    expect(cells).toEqual([
      ['odd.v1:student=ada:doc=1', 1, 'threw'],
      ['odd.v1:student=ada:doc=0', 6, undefined],
    ]);
  });

  it.each([
    ['a map', () => new Map()],
    ['a date within', () => ({ a: { b: new Date(0) } })],
    ['undefined', () => undefined],
    ['a hole in a list', () => [1, undefined]],
    ['not a number', () => ({ n: Number.NaN })],
    ['a function', () => ({ n: () => 1 })],
    ['a big integer', () => 1n],
    [
      'itself',
      () => {
        const state: { self?: unknown } = {};
        state.self = state;
        return state;
      },
    ],
  ])('that gives %s halts as not JSON', (_what, step) => {
    const { halts, states } = run([reducer('bad', step, { a: 1 }), sum], [[1]]);
    expect(halts.bad?.code).toBe('not-json');
    expect(states).toEqual({ bad: { a: 1 }, sum: 1 });
  });

  it('that makes a state too large halts, at the same event in every fold', () => {
    const grow = reducer('grow', (state, event) => [...state, 'x'.repeat(event.n)], []);
    const { halts, states } = run([grow], [[3_000_000], [1_000_000, 300_000], [1]]);
    expect(halts.grow).toMatchObject({ code: 'too-big', position: '0:1:1' });
    expect((states.grow as string[]).map((one) => one.length)).toEqual([3_000_000, 1_000_000]);
  });

  it('may let a state shrink and grow again', () => {
    const window = reducer('window', (state, event) => [...state.slice(-3), { n: 'x'.repeat(event.n) }], []);
    const { halts } = run(
      [window],
      Array.from({ length: 50 }, () => [900_000]),
    );
    expect(halts.window).toBeNull();
  });

  it('may keep a text larger than a state may be', () => {
    const book = reducer(
      'book',
      (state, event) => ({ text: text.insert(state.text, 0, 'x'.repeat(event.n)) }),
      {
        text: text.of(''),
      },
    );
    const { halts } = run([book], [[3_000_000], [3_000_000]]);
    expect(halts.book).toBeNull();
  });

  it('is not run where it stopped the process too often: its key halts there', () => {
    const { halts, states } = run([sum], [[1], [2, 3]], {
      isStuck: (folded, offset, index) => folded.name === 'sum.v1' && offset === 1 && index === 1,
    });
    expect(halts.sum).toMatchObject({ code: 'threw', position: '0:1:1' });
    expect(states.sum).toBe(3);
  });
});

describe('a cascade', () => {
  const said = (name: string, emits: (n: number) => readonly number[]) =>
    defineReducer({
      name,
      source: echo,
      scope: scope(student),
      initial: [] as readonly number[],
      emits: echo,
      on: {
        said: (state, event, emit) => {
          for (const n of emits(event.n)) emit('said', { n });
          return [...state, event.n];
        },
      },
    });
  const starts = (payloads: readonly unknown[], name = 'starts') =>
    defineReducer({
      name,
      source,
      scope: scope(student),
      initial: 0,
      emits: echo,
      on: {
        typed: (state, event, emit) => {
          for (const payload of payloads) emit('said', payload as { n: number });
          return state + event.n;
        },
      },
    });

  it('goes first in first out, listeners in order of name', () => {
    const order: string[] = [];
    const noting = (name: string) =>
      said(name, (n) => {
        order.push(`${name} ${n}`);
        return name === 'a' && n < 10 ? [n * 10] : [];
      });
    run([noting('b'), starts([{ n: 1 }, { n: 2 }]), noting('a')], [[1]]);
    expect(order).toEqual(['a 1', 'b 1', 'a 2', 'b 2', 'a 10', 'b 10', 'a 20', 'b 20']);
  });

  it('gives ids that are derived from the parent and its own content', () => {
    const ids: string[] = [];
    const emits = defineReducer({
      name: 'emits',
      source,
      scope: scope(student),
      initial: 0,
      emits: echo,
      on: {
        typed: (state, _event, emit) => {
          emit('said', { n: 1 });
          emit('row', { objectId: 'q1', playId: 'p1' });
          emit('row', { objectId: 'q1' });
          return state;
        },
      },
    });
    const hears = defineReducer({
      name: 'hears',
      source: echo,
      scope: scope(student),
      initial: 0,
      on: {
        said: (_state, event) => ids.push(event.id),
        row: (_state, event) => ids.push(event.id, event.student, String(event.at)),
      },
    });
    run([emits, hears], [[1]]);
    const id = (rest: string) =>
      createHash('sha256').update(`p:1:1\nemits\n${rest}`).digest('hex').slice(0, 32);
    expect(ids).toEqual([id('said\n1\n'), id('row\nq1\np1'), 'ada', '5000', id('row\nq1\n'), 'ada', '5000']);
  });

  it('loses what a step emitted before it threw', () => {
    const { states, halts } = run([starts([{ n: 1 }, { n: 'no number' }]), said('hears', () => [])], [[1]]);
    expect(states).toEqual({ starts: 0 });
    expect(halts.starts?.code).toBe('threw');
  });

  it('halts who emits an event that it does not declare, or at all without declaring', () => {
    const undeclared = defineReducer({
      name: 'undeclared',
      source,
      scope: scope(student),
      initial: 0,
      on: { typed: (_state, _event, emit: any) => emit('said', { n: 1 }) },
    });
    expect(run([undeclared], [[1]]).halts.undeclared?.code).toBe('threw');
  });

  it('halts who emits one row twice', () => {
    const twice = defineReducer({
      name: 'twice',
      source,
      scope: scope(student),
      initial: 0,
      emits: echo,
      on: {
        typed: (state, _event, emit) => {
          emit('row', { objectId: 'a' });
          emit('row', { objectId: 'a' });
          return state + 1;
        },
      },
    });
    expect(run([twice], [[1]]).halts.twice?.code).toBe('threw');
  });

  it('is at most 8 hops deep', () => {
    const { states, halts } = run([starts([{ n: 1 }]), said('deep', (n) => [n + 1])], [[1]]);
    expect(states.deep).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(halts.deep?.code).toBe('too-many-emits');
  });

  it('has at most 500 events, of one archived event', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
    expect(run([starts(many(500))], [[1], [1]]).halts.starts).toBeNull();
    expect(run([starts(many(501))], [[1]]).halts.starts?.code).toBe('too-many-emits');
    const two = run([starts(many(300), 'a'), starts(many(201), 'b')], [[1]]);
    expect([two.halts.a, two.halts.b?.code]).toEqual([null, 'too-many-emits']);
  });
});
