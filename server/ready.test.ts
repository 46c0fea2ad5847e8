import { describe, expect, test } from 'vitest';
import { REFUSED_CODES } from './errors.ts';
import { type ReadyFacts, readiness } from './ready.ts';

const WELL: ReadyFacts = {
  archive: { refusing: null, pressure: 0.4 },
  owner: { phase: 'running', behind: 3, isStoreSilent: false },
  isOverloaded: false,
  isStopping: false,
};

describe('readiness', () => {
  test('is on while all is well, and says how far the states are', () => {
    expect(readiness(WELL)).toEqual({
      ready: true,
      checks: { archive: 'accepting', states: 'running', behind: '3', process: 'running' },
    });
  });

  test.each(REFUSED_CODES)('is off at once when the archive refuses with %s', (refusing) => {
    const { ready, checks } = readiness({ ...WELL, archive: { refusing, pressure: 0 } });
    expect(ready).toBe(false);
    expect(checks.archive).toBe(refusing);
  });

  test('is off while the append queue is full, not before', () => {
    expect(readiness({ ...WELL, archive: { refusing: null, pressure: 0.99 } }).ready).toBe(true);
    const full = readiness({ ...WELL, archive: { refusing: null, pressure: 1 } });
    expect(full).toMatchObject({ ready: false, checks: { archive: 'busy' } });
  });

  test('is on while the state store is down, from the start or later', () => {
    for (const phase of ['starting', 'running'] as const) {
      const { ready, checks } = readiness({ ...WELL, owner: { phase, behind: 900, isStoreSilent: true } });
      expect(ready).toBe(true);
      expect(checks.states).toBe(`${phase}, the store is silent`);
    }
  });

  test('is off while the owner starts on a store that answers', () => {
    const owner = { phase: 'starting', behind: 900, isStoreSilent: false } as const;
    expect(readiness({ ...WELL, owner }).ready).toBe(false);
  });

  test.each(['fenced', 'closed'] as const)('is off when the owner is %s, silent store or not', (phase) => {
    for (const isStoreSilent of [true, false])
      expect(readiness({ ...WELL, owner: { phase, behind: 0, isStoreSilent } }).ready).toBe(false);
  });

  test('is on however far the owner is behind: accepting does not wait for it', () => {
    const owner = { phase: 'running', behind: 1_000_000, isStoreSilent: false } as const;
    expect(readiness({ ...WELL, owner }).ready).toBe(true);
  });

  test('is off while the process is overloaded or stops', () => {
    expect(readiness({ ...WELL, isOverloaded: true })).toMatchObject({
      ready: false,
      checks: { process: 'overloaded' },
    });
    expect(readiness({ ...WELL, isStopping: true })).toMatchObject({
      ready: false,
      checks: { process: 'stopping' },
    });
  });
});
