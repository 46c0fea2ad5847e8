import { describe, expect, it } from 'vitest';
import { keyAct, moveIn } from './keys.ts';

const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe('keys', () => {
  it('filter by the words in the order of the class bar', () => {
    expect(keyAct(press('1'), true)).toEqual({ does: 'filter', word: 'writing' });
    expect(keyAct(press('6'), true)).toEqual({ does: 'filter', word: 'no signal' });
    expect(keyAct(press('7'), true)).toBeNull();
  });

  it('can be switched off, arrows apart', () => {
    expect(keyAct(press('p'), true)).toEqual({ does: 'projector' });
    expect(keyAct(press('p'), false)).toBeNull();
    expect(keyAct(press('ArrowUp'), false)).toEqual({ does: 'move', by: 'up' });
  });

  it('leave the browser its own', () => {
    expect(keyAct(press('p', { ctrlKey: true }), true)).toBeNull();
    expect(keyAct(press('ArrowLeft', { altKey: true }), true)).toBeNull();
  });
});

describe('moving between cards', () => {
  const grid = { count: 10, columns: 4 };
  it.each([
    [5, 'left', 4],
    [5, 'right', 6],
    [5, 'up', 1],
    [5, 'down', 9],
    [6, 'down', 6],
    [1, 'up', 1],
    [0, 'left', 0],
    [9, 'right', 9],
  ] as const)('from %i %s comes to %i', (from, by, to) => {
    expect(moveIn(grid, from, by)).toBe(to);
  });
});
