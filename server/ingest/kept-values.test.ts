import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type KeptValues, openKeptValues } from './kept-values.ts';

const HOUR = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'kept-'));
const file = join(folder, 'sub', 'kept.jsonl');
const open = (clock = () => 0, secret?: string) => openKeptValues({ file, clock, secret });
afterEach(() => rmSync(join(folder, 'sub'), { recursive: true, force: true }));

describe('kept values', () => {
  it('are there for the next process though this one never closed them', () => {
    const first = open();
    first.put('use ada', 10, [1, 2.5]);
    first.put('use bo', 10, [3]);
    first.put('use ada', 10, [4]);
    const second = open();
    expect(second.get('use ada')).toEqual([4]);
    expect([...second.startingWith('use b')]).toEqual([['use bo', [3]]]);
  });

  it('end with their time, in memory and in the file', () => {
    let now = 0;
    const kept = open(() => now);
    kept.put('use ada', 10, [1]);
    now = 10;
    expect(kept.get('use ada')).toBeUndefined();
    expect([...kept.startingWith('use')]).toEqual([]);
    open(() => now);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it.each([
    ['at the first change an hour later', (kept: KeptValues) => kept.put('use bo', 2 * HOUR, [2])],
    ['at an orderly end', (kept: KeptValues) => kept.close()],
  ])('leave no name in the file beyond its time %s', (_, act) => {
    let now = 0;
    const kept = open(() => now);
    kept.put('use ada', 10, [1]);
    kept.put('use bo', 2 * HOUR, [2]);
    now = HOUR;
    act(kept);
    expect(readFileSync(file, 'utf8')).not.toContain('ada');
    expect(open(() => now).get('use bo')).toEqual([2]);
  });

  it('hide a text alike with the same secret, in another process too, and with no other', () => {
    const hidden = open(undefined, 'one').hidden('10.1.2.3');
    expect(hidden).not.toContain('10.1.2.3');
    expect(open(undefined, 'one').hidden('10.1.2.3')).toBe(hidden);
    expect(open(undefined, 'one').hidden('10.1.2.4')).not.toBe(hidden);
    expect(open(undefined, 'two').hidden('10.1.2.3')).not.toBe(hidden);
    expect(open().hidden('10.1.2.3')).not.toBe(open().hidden('10.1.2.3'));
  });

  it('lose one line by a write that was cut, and no other', () => {
    const first = open();
    first.put('use ada', 10, [1]);
    appendFileSync(file, '\n["use bo",10,');
    first.put('use cy', 10, [3]);
    const second = open();
    expect([...second.startingWith('use')]).toEqual([
      ['use ada', [1]],
      ['use cy', [3]],
    ]);
  });

  it('take no more room than what is in force, however often they change', () => {
    const kept = open();
    for (let n = 0; n < 60_000; n += 1) kept.put(`use ${n % 100}`, 10, [n]);
    expect(statSync(file).size).toBeLessThan(1.1 * 1024 * 1024);
    expect(open().get('use 99')).toEqual([59_999]);
  });

  it('live in memory where the file cannot be written', () => {
    const errors: unknown[] = [];
    const kept = openKeptValues({
      file: join(import.meta.filename, 'kept.jsonl'),
      clock: () => 0,
      onError: (error) => errors.push(error),
    });
    kept.put('use ada', 10, [1]);
    expect(errors).toHaveLength(1);
    expect(kept.get('use ada')).toEqual([1]);
  });
});
