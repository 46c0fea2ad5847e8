import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unlessStamped } from './stamp.mjs';

let folder = '';
let stamp = '';
let runs = 0;
const path = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFileSync(path(name), text);
const build = (work = () => {}) =>
  unlessStamped(stamp, [path('app'), path('lock.json'), path('absent')], () => {
    runs += 1;
    work();
  });
/** Until the files are old enough for their looks to be trusted: else every build would read them. */
async function settle() {
  while (Date.now() - Math.max(...files().map((name) => statSync(path(name)).ctimeMs)) < 150)
    await new Promise((done) => setTimeout(done, 10));
}
const files = () => ['app/page.tsx', 'app/deep/part.ts', 'lock.json'];
const looks = () => JSON.parse(readFileSync(stamp, 'utf8')).looks as string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stamp-'));
  stamp = path('built/.stamp');
  runs = 0;
  mkdirSync(path('app/deep'), { recursive: true });
  write('app/page.tsx', 'one');
  write('app/deep/part.ts', 'two');
  write('lock.json', '{}');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('an unchanged tree is built once, whether its files are young or old', async () => {
  await build();
  await build();
  expect(looks()).toBeUndefined();
  await settle();
  await build();
  expect(looks()).toBeDefined();
  await build();
  expect(runs).toBe(1);
});

describe('once the files are trusted by their looks', () => {
  beforeEach(async () => {
    await settle();
    await build();
    expect(looks()).toBeDefined();
    expect(runs).toBe(1);
  });

  const changes: readonly (readonly [string, () => void])[] = [
    ['a source with other characters', () => write('app/page.tsx', 'one more')],
    ['a source deep in a folder', () => write('app/deep/part.ts', 'six')],
    ['a changed lockfile', () => write('lock.json', '[]')],
    ['a new source', () => write('app/new.ts', '')],
    ['a source that is gone', () => rmSync(path('app/deep/part.ts'))],
    ['a source of another name', () => renameSync(path('app/page.tsx'), path('app/other.tsx'))],
    [
      'a source of the same size whose time was set back',
      () => {
        const { atime, mtime } = statSync(path('app/page.tsx'));
        write('app/page.tsx', 'six');
        utimesSync(path('app/page.tsx'), atime, mtime);
      },
    ],
    [
      'an older source of the same size that was moved into place',
      () => {
        write('app/page.new', 'six');
        const { atime, mtime } = statSync(path('app/page.tsx'));
        utimesSync(path('app/page.new'), atime, mtime);
        renameSync(path('app/page.new'), path('app/page.tsx'));
      },
    ],
    ['a stamp that is gone', () => rmSync(stamp)],
    ['a stamp that cannot be read', () => writeFileSync(stamp, '{')],
  ];
  test.each(changes)('%s is built again, once', async (_, change) => {
    change();
    await build();
    await build();
    expect(runs).toBe(2);
  });

  test('a source that was touched or written anew with the same bytes is not built again', async () => {
    utimesSync(path('app/page.tsx'), new Date(), new Date());
    write('app/deep/part.ts', 'two');
    await build();
    expect(runs).toBe(1);
  });

  test('tests and generated files are no sources', async () => {
    write('app/page.test.ts', 'new');
    mkdirSync(path('app/generated'));
    write('app/generated/client.ts', 'new');
    await build();
    expect(runs).toBe(1);
  });

  test('a source that changes while the tree is built is built again', async () => {
    write('app/page.tsx', 'six');
    await build(() => write('app/page.tsx', 'ten'));
    await build();
    expect(runs).toBe(3);
  });

  test('a build that failed is tried again', async () => {
    write('app/page.tsx', 'six');
    const failure = new Error('no');
    await expect(
      build(() => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    await build();
    expect(runs).toBe(3);
  });
});
