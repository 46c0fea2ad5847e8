import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  connection,
  type DashboardProps,
  defineEventSource,
  defineModule,
  defineQuery,
  defineReducer,
  defineService,
  keyField,
  only,
  type ReducerKey,
  type StateOf,
  scope,
  student,
  type Text,
  text,
} from './index.ts';
import { event, replay } from './testing.ts';

// The proof is the compiler's: each line marked as an error MUST be one, each `check` MUST be true.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<Holds extends true>(): Holds | undefined {
  return undefined;
}

const editor = defineEventSource({
  name: 'test.editor',
  events: {
    save: z.object({ doc: z.string(), words: z.number(), tab: z.string().optional() }),
    focus: z.object({ isVisible: z.boolean() }),
  },
});
const derived = defineEventSource({
  name: 'test.derived',
  isInternal: true,
  events: { grew: z.object({ by: z.number() }), shrank: z.object({ by: z.number().default(1) }) },
});
const doc = keyField('doc', (saved: { doc: string }) => saved.doc);
const tab = keyField('tab', (saved: { tab?: string | undefined }) => saved.tab);

const page = defineReducer({
  name: 'page',
  source: editor,
  scope: scope(student, doc),
  initial: { text: text.of(''), words: 0, last: null as string | null },
  on: { save: (state, saved) => ({ ...state, words: saved.words, last: saved.doc }) },
});
const presence = defineReducer({
  name: 'presence',
  source: editor,
  scope: scope(student),
  initial: { at: 0 },
  on: { focus: (_state, focused) => ({ at: focused.at }) },
});
const perTab = defineReducer({
  name: 'per-tab',
  source: editor,
  scope: scope(student, tab),
  initial: { n: 0 },
  on: { save: (state) => ({ n: state.n + 1 }) },
});
const shared = defineReducer({
  name: 'shared',
  source: editor,
  scope: scope(doc),
  initial: { n: 0 },
  on: { save: (state) => state },
});
const grammar = defineService({
  name: 'grammar',
  input: z.object({ text: z.string() }),
  output: z.object({ mistakes: z.number() }),
  run: async ({ text: written }) => ({ mistakes: written.length }),
});
const pages = defineQuery({
  name: 'pages',
  title: 'Whose page is long?',
  params: z.object({ longWords: z.number().default(300) }),
  async row({ read, ask, params }) {
    const { words, last } = await read(page, { doc: 'd1' });
    const found = await ask(grammar, { text: 'a' });
    check<Equal<typeof found, { mistakes: number } | undefined>>();
    return { words, last, isLong: words > params.longWords };
  },
  frame: ({ rows }) => ({ most: Math.max(...rows.map((row) => row.words)) }),
});
const bare = defineQuery({ name: 'bare', title: 'Who is there?', row: async ({ read }) => read(presence) });

type Props = DashboardProps<typeof pages>;
check<Equal<StateOf<typeof page>, { text: Text; words: number; last: string | null }>>();
check<Equal<ReducerKey<typeof page>, { readonly student: string; readonly doc: string }>>();
check<Equal<ReducerKey<typeof presence>, { readonly student: string }>>();
check<Equal<Props['rows'][number]['words'], number>>();
check<Equal<Props['rows'][number]['last'], string | null>>();
check<Equal<Props['rows'][number]['isLong'], boolean>>();
check<Equal<Props['rows'][number]['student'], { readonly id: string; readonly name: string }>>();
check<Equal<Props['params'], { longWords: number }>>();
check<Equal<Props['frame'], { most: number }>>();
check<Equal<DashboardProps<typeof bare>['params'], undefined>>();
check<Equal<DashboardProps<typeof bare>['frame'], null>>();
check<Equal<DashboardProps<typeof bare>['rows'][number]['at'], number>>();
check<Equal<keyof Props['rows'][number], 'words' | 'last' | 'isLong' | 'student'>>();

defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student, doc),
  initial: { n: 0 },
  // @ts-expect-error focus carries no doc, so it cannot reach a document's state
  on: { focus: (state) => state },
});
defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student),
  initial: { n: 0 },
  // @ts-expect-error a step returns the state
  on: { save: () => ({ n: 'no' }) },
});
defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student),
  initial: { n: 0 },
  // @ts-expect-error the source has no such event
  on: { sav: (state: { n: number }) => state },
});
defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student),
  initial: { n: 0 },
  on: {
    // @ts-expect-error an event has no field that its schema does not name
    save: (state, saved) => ({ n: state.n + saved.letters }),
  },
});
defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student),
  initial: { n: 0 },
  emits: only(derived, 'grew'),
  on: {
    save: (state, _saved, emit) => {
      emit('grew', { by: 1 });
      // @ts-expect-error the source has it, the reducer does not declare it
      emit('shrank', { by: 1 });
      // @ts-expect-error nobody declares it
      emit('vanished', {});
      // @ts-expect-error the payload is another
      emit('grew', { by: 'much' });
      // @ts-expect-error the payload lacks a field
      emit('grew', {});
      return state;
    },
  },
});
defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student),
  initial: { n: 0 },
  emits: derived,
  on: {
    save: (state, _saved, emit) => {
      // What the schema fills in may be left out.
      emit('shrank', {});
      return state;
    },
  },
});
defineReducer({
  name: 'x',
  source: editor,
  scope: scope(student),
  initial: { n: 0 },
  on: {
    save: (state, _saved, emit) => {
      // @ts-expect-error a reducer that declares no emits cannot emit
      emit('grew', { by: 1 });
      return state;
    },
  },
});
// @ts-expect-error the source has no such event to narrow to
only(derived, 'vanished');

defineQuery({
  name: 'x',
  title: 'x',
  async row({ read, ask, params }) {
    check<Equal<typeof params, undefined>>();
    // @ts-expect-error the document is missing
    void (() => read(page));
    // @ts-expect-error the key has another name
    void (() => read(page, { document: 'd' }));
    // @ts-expect-error a student's state needs no more key
    void (() => read(presence, { doc: 'd' }));
    // @ts-expect-error a query reads its row's own student only
    void (() => read(page, { student: 'ben', doc: 'd' }));
    // @ts-expect-error a scope without the student cannot be read for a row
    void (() => read(shared, { doc: 'd' }));
    // @ts-expect-error the service wants text
    void (() => ask(grammar, { txt: '' }));
    return {};
  },
});
// @ts-expect-error a row is an object
defineQuery({ name: 'x', title: 'x', row: async () => 3 });

const aSave = () => event(editor, 'save', { student: 'ada', doc: 'd1', words: 3 });
// @ts-expect-error words are missing
const withoutWords = () => event(editor, 'save', { student: 'ada', doc: 'd1' });
// @ts-expect-error the source has no such event
const unknownEvent = () => event(editor, 'sav', { student: 'ada' });
// @ts-expect-error an event is somebody's
const nobodys = () => event(editor, 'focus', { isVisible: true });

test('states, rows, params and frames keep their types from the reducer to the view', () => {
  const module = defineModule({
    name: 'test',
    title: 'Test',
    reducers: [page, presence, perTab, shared],
    queries: [pages, bare],
  });
  check<Equal<(typeof module)['name'], 'test'>>();
  const state = replay(page, [aSave()]);
  check<Equal<typeof state, { text: Text; words: number; last: string | null }>>();
  expect(state.words).toBe(3);
});

test('an event of a test is parsed as at the edge', () => {
  expect(withoutWords).toThrow('words');
  expect(unknownEvent).toThrow();
  expect(nobodys().event).toBe('focus');
  expect(event(connection, 'resumed', { student: 'ada' }).source).toBe('connection');
});
