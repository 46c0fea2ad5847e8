import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { belowFloor, FLOORS } from './floors.mjs';
import { lockGaps } from './lock-gaps.mjs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

test('the lock holds every optional platform package, so that a clean install works anywhere', () => {
  expect(lockGaps()).toEqual([]);
});

test('no locked package lies below its floor', () => {
  expect(belowFloor(packages)).toEqual([]);
});

test('each floor is about a package that is locked, and sees one below it', () => {
  for (const { name } of FLOORS) {
    expect(
      Object.keys(packages).some((place) => place.endsWith(`node_modules/${name}`)),
      name,
    ).toBe(true);
    expect(belowFloor({ [`node_modules/x/node_modules/${name}`]: { version: '0.0.1' } })).toEqual([
      `${name} 0.0.1`,
    ]);
  }
});

test('dependencies are pinned exactly, but for the Node that npm brings', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([name, range]) => name !== 'node' && !/^\d/.test(range as string),
  );
  expect(loose).toEqual([]);
});
