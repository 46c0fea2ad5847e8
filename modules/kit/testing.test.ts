import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineEventSource,
  defineQuery,
  defineReducer,
  keyField,
  only,
  scope,
  student as who,
} from './index.ts';
import { event, frameOf, inMemory, replay, rowsOf, student } from './testing.ts';

const typed = defineEventSource({
  name: 'typed',
  events: { key: z.object({ doc: z.string().optional(), n: z.number() }) },
});
const derived = defineEventSource({
  name: 'derived',
  isInternal: true,
  events: {
    one: z.object({ n: z.number() }),
    two: z.object({ n: z.number() }),
    row: z.object({ objectId: z.string() }),
  },
});
const doc = keyField('doc', (typing: { doc?: string | undefined }) => typing.doc);
const sum = defineReducer({
  name: 'sum',
  source: typed,
  scope: scope(who, doc),
  initial: { n: 0 },
  on: { key: (state, typing) => ({ n: state.n + typing.n }) },
});
const beta = defineReducer({
  name: 'beta',
  source: typed,
  scope: scope(who),
  initial: null,
  emits: only(derived, 'one'),
  on: {
    key: (state, { n }, emit) => {
      emit('one', { n });
      emit('one', { n: n + 1 });
      return state;
    },
  },
});
const alpha = defineReducer({
  name: 'alpha',
  source: typed,
  scope: scope(who),
  initial: null,
  emits: only(derived, 'two'),
  on: {
    key: (state, { n }, emit) => {
      emit('two', { n });
      return state;
    },
  },
});
const log = defineReducer({
  name: 'log',
  source: derived,
  scope: scope(who),
  initial: [] as readonly string[],
  on: {
    one: (state, { n }) => [...state, `one ${n}`],
    two: (state, { n }) => [...state, `two ${n}`],
  },
});
const key = (n: number, doc?: string, student = 'ada') =>
  event(typed, 'key', { student, n, at: n, ...(doc ? { doc } : {}) });

describe('a replay', () => {
  test('keeps one state per key, and skips events that lack a key field', () => {
    const states = replay([sum], [key(1, 'a'), key(2, 'b'), key(4, 'a'), key(8), key(16, 'a', 'ben')]);
    expect(states.read(sum, { student: 'ada', doc: 'a' })).toEqual({ n: 5 });
    expect(states.read(sum, { student: 'ben', doc: 'a' })).toEqual({ n: 16 });
    expect(states.read(sum, { student: 'cem', doc: 'a' })).toBe(sum.initial);
    expect(Object.keys(states.bytes())).toEqual([
      'sum.v1:student=ada:doc=a',
      'sum.v1:student=ada:doc=b',
      'sum.v1:student=ben:doc=a',
    ]);
  });

  test('of one reducer gives the state that the last event reaches', () => {
    expect(replay(sum, [key(1, 'a'), key(2, 'b'), key(4, 'a'), key(8)])).toEqual({ n: 5 });
    expect(replay(sum, [])).toBe(sum.initial);
  });

  test('cascades in order of reducer names, first in first out, whatever the order they are given in', () => {
    for (const reducers of [
      [beta, log, alpha],
      [alpha, beta, log],
    ])
      expect(replay(reducers, [key(1), key(5)]).read(log, { student: 'ada' })).toEqual([
        'two 1',
        'one 1',
        'one 2',
        'two 5',
        'one 5',
        'one 6',
      ]);
  });

  test('gives emitted events the student and time of their parent, and ids derived from it', () => {
    const { heard } = replay([beta, log], [key(7)]);
    const id = (count: number) =>
      createHash('sha256').update(`test:1:7\nbeta\none\n${count}\n`).digest('hex').slice(0, 32);
    expect(heard.map((one) => one.id)).toEqual(['test:1:7', id(1), id(2)]);
    expect(heard[1]).toMatchObject({ source: 'derived', event: 'one', student: 'ada', at: 7, n: 7 });
  });

  test('fails where a reducer emits more or else than the schema says', () => {
    const emitting = (payload: object, name = 'one') => {
      const on = {
        key: (state: null, _event: unknown, emit: (name: string, payload: object) => void) => {
          emit(name, payload);
          return state;
        },
      };
      return () => replay([{ ...beta, on }], [key(1)]);
    };
    expect(emitting({ n: 1 })).not.toThrow();
    expect(emitting({ n: 'x' })).toThrow();
    expect(emitting({ n: 1, more: 2 })).toThrow('more');
    expect(emitting({ n: 1 }, 'two')).toThrow('beta emits two and does not declare it');
  });

  test('fails where a step changes a state or an event in place', () => {
    const on = (step: (state: { n: number }, one: { n: number }) => void) => ({
      ...sum,
      on: {
        key: (state: { n: number }, one: { n: number }) => {
          step(state, one);
          return { ...state };
        },
      },
    });
    for (const between of [undefined, inMemory]) {
      expect(() => replay([on((state) => (state.n = 1))], [key(1, 'a')], between)).toThrow(TypeError);
      expect(() => replay([on((_, one) => (one.n = 1))], [key(1, 'a')], between)).toThrow(TypeError);
    }
  });

  test('passes states through JSON, so that what JSON loses is lost in the test too', () => {
    const lossy = { ...sum, on: { key: () => ({ n: Number.NaN, gone: undefined }) } };
    expect(replay(lossy, [key(1, 'a')])).toStrictEqual({ n: null });
  });
});

describe('rows', () => {
  const totals = defineQuery({
    name: 'totals',
    title: 'How much?',
    params: z.object({ least: z.number().default(3) }),
    async row({ read, params, student }) {
      const { n } = await read(sum, { doc: 'a' });
      return { n, isEnough: n >= params.least, own: (student.accommodations ?? []).length };
    },
    frame: ({ rows, params }) => ({ all: rows.reduce((all, row) => all + row.n, 0), least: params.least }),
  });
  const events = [key(2, 'a'), key(5, 'a', 'ben')];

  test('are one per student in the order given, each from its own states', async () => {
    const people = [student('ben', ['own-pace']), student('ada'), student('cem')];
    const rows = await rowsOf(totals, people, events, { reducers: [sum] });
    expect(rows).toEqual([
      { n: 5, isEnough: true, own: 1, student: { id: 'ben', name: 'ben' } },
      { n: 2, isEnough: false, own: 0, student: { id: 'ada', name: 'ada' } },
      { n: 0, isEnough: false, own: 0, student: { id: 'cem', name: 'cem' } },
    ]);
    expect(frameOf(totals, rows)).toEqual({ all: 7, least: 3 });
  });

  test('take params where the test gives some', async () => {
    const rows = await rowsOf(totals, [student('ada')], events, { reducers: [sum], params: { least: 2 } });
    expect(rows[0]?.isEnough).toBe(true);
    expect(frameOf(totals, rows, { params: { least: 2 } })).toEqual({ all: 2, least: 2 });
  });

  test('fail where the query reads what the test did not fold', async () => {
    await expect(rowsOf(totals, [student('ada')], events, { reducers: [] })).rejects.toThrow('reads sum');
  });
});
