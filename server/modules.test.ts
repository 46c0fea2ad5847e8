import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  connection,
  defineEventSource,
  defineModule,
  defineQuery,
  defineReducer,
  type EventSource,
  only,
  type Reducer,
  scope,
  student,
} from '#modules/kit/index.ts';
import { modulesFolder } from './commands/new-module.testing.ts';
import { newModule } from './commands/new-module.ts';
import { clashesOf, type FoundModule } from './module-clashes.ts';
import { loadModules } from './modules.ts';
import { buildRegistry } from './registry.ts';

const empty = z.object({});
const source = (name: string, ...events: string[]) =>
  defineEventSource({ name, events: Object.fromEntries(events.map((event) => [event, empty])) });

function reducer(name: string, over: EventSource, handled: string, emits?: Reducer['emits']): Reducer {
  const on = { [handled]: (state: null) => state };
  return {
    name,
    version: 1,
    source: over,
    scope: scope(student),
    initial: null,
    on,
    ...(emits ? { emits } : {}),
  };
}

function found(
  folder: string,
  module: Partial<FoundModule['module']>,
  dashboards: string[] = [],
): FoundModule {
  const named = defineModule({ name: folder, title: folder, ...module });
  return { folder, file: `modules/${folder}/module.ts`, module: named, dashboards };
}

const query = (name: string) => defineQuery({ name, title: name, row: async () => ({}) });

describe('modules that fit together', () => {
  test('give no clash', () => {
    const own = source('own', 'a', 'b');
    const reducers = [reducer('first', own, 'a', only(own, 'b')), reducer('second', own, 'b')];
    expect(
      clashesOf([found('one', { sources: [own], reducers, queries: [query('q')] }, ['q', 'prepare'])]),
    ).toEqual([]);
  });

  test('may hear the sources of the kit', () => {
    expect(clashesOf([found('one', { reducers: [reducer('r', connection, 'paused')] })])).toEqual([]);
  });
});

describe('a clash is named with its files', () => {
  const both = ['modules/one/module.ts', 'modules/two/module.ts'];
  const expectOne = (clashes: readonly string[], ...words: string[]) => {
    expect(clashes).toHaveLength(1);
    for (const word of words) expect(clashes[0]).toContain(word);
  };

  test('where a module is not called as its folder', () => {
    expectOne(clashesOf([found('one', { name: 'other' })]), 'modules/one/module.ts', 'other');
  });

  test('where two modules own a source', () => {
    const clashes = clashesOf([
      found('one', { sources: [source('s')] }),
      found('two', { sources: [source('s')] }),
    ]);
    expectOne(clashes, 'event source s', ...both);
  });

  test('where a module takes a name of the kit', () => {
    expectOne(
      clashesOf([found('one', { sources: [source('queue')] })]),
      'modules/kit/built-in.ts',
      'modules/one/module.ts',
    );
  });

  test('where two modules own a reducer name', () => {
    const own = source('s', 'a');
    const one = found('one', { sources: [own], reducers: [reducer('r', own, 'a')] });
    expectOne(clashesOf([one, found('two', { reducers: [reducer('r', own, 'a')] })]), 'reducer r', ...both);
  });

  test('where a query has two owners, no view, or a view has no query', () => {
    expectOne(clashesOf([found('one', { queries: [query('q'), query('q')] }, ['q'])]), 'two queries q');
    expectOne(
      clashesOf([found('one', { queries: [query('q')] })]),
      'modules/one/dashboards/q.tsx',
      'modules/one/module.ts',
    );
    expectOne(
      clashesOf([found('one', {}, ['lost'])]),
      'modules/one/dashboards/lost.tsx',
      'modules/one/module.ts',
    );
  });

  test('where a reducer folds or emits into what nobody declares', () => {
    const own = source('own', 'a');
    const lost = source('lost', 'a');
    expectOne(
      clashesOf([found('one', { reducers: [reducer('r', lost, 'a')] })]),
      'r folds lost',
      'modules/one/module.ts',
    );
    const emits = only(lost, 'a');
    expectOne(
      clashesOf([found('one', { sources: [own], reducers: [reducer('r', own, 'a', emits)] })]),
      'r emits into lost',
    );
  });

  test('where a reducer folds a copy of a source that another module declares', () => {
    const one = found('one', { sources: [source('s', 'a')] });
    expectOne(clashesOf([one, found('two', { reducers: [reducer('r', source('s', 'a'), 'a')] })]), ...both);
  });

  test('where two reducers over one source emit the same event', () => {
    const own = source('own', 'a', 'b', 'c');
    const one = found('one', { sources: [own], reducers: [reducer('r', own, 'a', only(own, 'c'))] });
    const two = found('two', { reducers: [reducer('t', own, 'b', only(own, 'c'))] });
    expectOne(clashesOf([one, two]), 'r and t', 'own/c', ...both);
  });

  test('where events go round', () => {
    const [s, t] = [source('s', 'a'), source('t', 'b')];
    const one = found('one', { sources: [s], reducers: [reducer('r', s, 'a', only(t, 'b'))] });
    const two = found('two', { sources: [t], reducers: [reducer('u', t, 'b', only(s, 'a'))] });
    expectOne(clashesOf([one, two]), 's/a → t/b → s/a', ...both);
  });

  test.each([
    [8, 0],
    [9, 1],
  ])('where a path has %i hops: %i', (hops, clashes) => {
    const chain = Array.from({ length: hops + 1 }, (_, i) => source(`s${i}`, 'a'));
    const reducers = chain
      .slice(0, hops)
      .map((one, i) => reducer(`r${i}`, one, 'a', only(chain[i + 1] as EventSource, 'a')))
      .toReversed();
    const wrong = clashesOf([found('one', { sources: chain, reducers })]);
    expect(wrong).toHaveLength(clashes);
    if (clashes > 0) expect(wrong[0]).toContain('s0/a sets off 9 hops');
  });
});

describe('loading', () => {
  let root: string;
  beforeEach(async () => {
    root = await modulesFolder();
  });
  afterEach(() => rm(join(root, '..'), { recursive: true, force: true }));

  test('finds each folder with a module.ts, and takes the kit for none', async () => {
    await newModule('beta', root);
    await mkdir(join(root, 'notes'));
    const registry = await loadModules(root);
    expect(registry.modules.map((module) => module.name)).toEqual(['beta']);
    expect([...registry.sources.keys()]).toEqual(['connection', 'queue', 'client', 'blob', 'beta']);
    expect(registry.findQuery('beta', 'readers')?.module.name).toBe('beta');
    expect(registry.findQuery('beta', 'writers')).toBeUndefined();
  });

  test('says all that is wrong at once', async () => {
    await newModule('beta', root);
    await rm(join(root, 'beta', 'dashboards', 'readers.tsx'));
    await writeFile(
      join(root, 'beta', 'dashboards', 'lost.tsx'),
      'export default function Lost() {\n  return null;\n}\n',
    );
    await writeFile(join(root, 'beta', 'dashboards', 'part.tsx'), 'export const Part = () => null;\n');
    const failed = await loadModules(root).catch((error: Error) => error.message);
    expect(failed).toContain('modules/beta/dashboards/readers.tsx');
    expect(failed).toContain('modules/beta/dashboards/lost.tsx');
    expect(failed).not.toContain('part');
  });

  test('refuses a module.ts that exports no module', async () => {
    await mkdir(join(root, 'gamma'));
    await writeFile(join(root, 'gamma', 'module.ts'), 'export const nothing = 1;\n');
    await expect(loadModules(root)).rejects.toThrow('modules/gamma/module.ts has no default export');
  });
});

describe('the registry', () => {
  const [s, t] = [source('s', 'a', 'b'), source('t', 'c')];
  const zeta = defineReducer({
    name: 'zeta',
    source: s,
    scope: scope(student),
    initial: 0,
    on: { a: (n) => n },
  });
  const alpha = reducer('alpha', s, 'a', only(t, 'c'));
  const omega = reducer('omega', t, 'c');
  const last = reducer('last', t, 'c');
  const registry = buildRegistry([
    defineModule({ name: 'one', title: 'One', sources: [s, t], reducers: [zeta, alpha, omega, last] }),
  ]);

  test('gives the listeners of an event by name, and nobody for what nobody hears', () => {
    expect(registry.listeners('s', 'a')).toEqual([alpha, zeta]);
    expect(registry.listeners('s', 'a')).toBe(registry.listeners('s', 'a'));
    expect(registry.listeners('s', 'b')).toEqual([]);
    expect(registry.listeners('s', 'toString')).toEqual([]);
    expect(registry.listeners('nowhere', 'a')).toEqual([]);
  });

  test('finds a reducer by the name and version of a state key', () => {
    expect(registry.reducerByKeyName.get('zeta.v1')).toBe(zeta);
    expect(registry.reducerByKeyName.get('zeta')).toBeUndefined();
  });

  test('knows which reducers feed another, over others too', () => {
    expect(registry.fed(omega)).toEqual([alpha]);
    expect(registry.fed(alpha)).toEqual([]);
    const u = source('u', 'd');
    const through = buildRegistry([
      defineModule({
        name: 'one',
        title: 'One',
        sources: [s, t, u],
        reducers: [alpha, reducer('middle', t, 'c', only(u, 'd')), reducer('end', u, 'd')],
      }),
    ]);
    const end = through.reducers.find(({ name }) => name === 'end') as Reducer;
    expect(through.fed(end).map(({ name }) => name)).toEqual(['alpha', 'middle']);
  });

  test('has another build for another version or name, whatever the order of modules', () => {
    const build = (...reducers: Reducer[]) =>
      buildRegistry([defineModule({ name: 'one', title: 'One', reducers })]).build;
    expect(build(alpha, omega)).toBe(build(omega, alpha));
    expect(build({ ...alpha, version: 2 }, omega)).not.toBe(build(alpha, omega));
    expect(build(alpha)).not.toBe(build(alpha, omega));
  });
});
