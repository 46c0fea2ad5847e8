import { expect, test } from 'vitest';
import type { Snapshot } from './delta.ts';
import { narrow } from './watcher.ts';

const row = (id: string) => ({ student: { id, name: id } });
const whole: Snapshot = {
  order: ['ada', 'bo'],
  rows: new Map(['ada', 'bo'].map((id) => [id, row(id)])),
  trouble: new Map([
    ['*', { code: 'delayed', since: 1 }],
    ['bo', { code: 'stopped', since: 2 }],
  ]),
  frame: { most: 'bo' },
};

test('who may see all of a class is sent the snapshot itself', () => {
  expect(narrow(whole, new Set(['ada', 'bo', 'cy']))).toBe(whole);
});

test('who may see a part is sent nothing that tells of the others, the values of the class included', () => {
  expect(narrow(whole, new Set(['ada']))).toEqual({
    order: ['ada'],
    rows: new Map([['ada', row('ada')]]),
    trouble: new Map([['*', { code: 'delayed', since: 1 }]]),
    frame: undefined,
  });
});
