import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { EMPTY, type Snapshot } from './delta.ts';
import { narrow, openWatcher } from './watcher.ts';

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

test('a snapshot that was sent and replaced is forgotten', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  let snapshot: Snapshot = EMPTY;
  let sent = 0;
  const watcher = openWatcher({
    id: 'c',
    channel: { snapshot: () => snapshot, onChange: () => () => {} } as unknown as Channel,
    allowed: new Set(['ada']),
    peer: {
      send() {
        sent += 1;
        return true;
      },
    },
    clock: Date.now,
  });
  watcher.open();
  const older = Array.from({ length: 100 }, (_, n) => {
    snapshot = {
      ...whole,
      order: ['ada'],
      rows: new Map([['ada', { ...row('ada'), n }]]),
      trouble: new Map(),
    };
    watcher.flush();
    return new WeakRef(snapshot);
  });
  expect(sent).toBe(100);
  // A weak reference that was looked at, or made, in this turn is kept to its end.
  await new Promise((done) => setImmediate(done));
  collect();
  expect(older.filter((one) => one.deref()).length).toBeLessThanOrEqual(2);
});
