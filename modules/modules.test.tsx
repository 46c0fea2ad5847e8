import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModules } from '#server/modules.ts';
import { expectDrawn, expectExplained, expectOneFold, fixtureOf, needsFixture } from './contract.testing.tsx';

const root = import.meta.dirname;
const registry = await loadModules(root);
const fixtures = await Promise.all(registry.modules.map(({ name }) => fixtureOf(root, name, registry)));
const everything = fixtures.flat().toSorted((one, other) => one.at - other.at);

test('there are modules, and names that no two of them share', () => {
  expect(registry.modules.length).toBeGreaterThan(0);
});

describe.each(
  registry.modules.map((module, i) => ({ name: module.name, module, fixture: fixtures[i] ?? [] })),
)('$name', ({ name, module, fixture }) => {
  const events = fixture.length > 0 ? fixture : everything;

  test.runIf(needsFixture(module))(
    'brings a fixture, whose states are JSON and the same in every fold',
    () => {
      expect(existsSync(join(root, name, 'fixture.json'))).toBe(true);
      expect(fixture.length).toBeGreaterThan(0);
      expectOneFold(module, registry, fixture);
    },
  );

  for (const query of module.queries ?? [])
    test(`draws ${query.name} for a class, for one student and for nobody`, () =>
      expectDrawn(root, module, query, registry, events));

  test('says what it shows, what it reads and what it cannot know', () => expectExplained(root, name));
});
