import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openKeptValues } from './kept-values.ts';

const folder = mkdtempSync(join(tmpdir(), 'kept-'));
const file = join(folder, 'sub', 'kept.jsonl');
afterEach(() => rmSync(join(folder, 'sub'), { recursive: true, force: true }));

describe('kept values', () => {
  it('are there for the next process though this one never closed them', () => {
    const first = openKeptValues(file, () => 0);
    first.put('use ada', 10, [1, 2.5]);
    first.put('use bo', 10, [3]);
    first.put('use ada', 10, [4]);
    const second = openKeptValues(file, () => 0);
    expect(second.get('use ada')).toEqual([4]);
    expect([...second.startingWith('use b')]).toEqual([['use bo', [3]]]);
  });

  it('end with their time, in memory and in the file', () => {
    let now = 0;
    const kept = openKeptValues(file, () => now);
    kept.put('use ada', 10, [1]);
    now = 10;
    expect(kept.get('use ada')).toBeUndefined();
    expect([...kept.startingWith('use')]).toEqual([]);
    openKeptValues(file, () => now);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('lose one line by a write that was cut, and no other', () => {
    const first = openKeptValues(file, () => 0);
    first.put('use ada', 10, [1]);
    appendFileSync(file, '\n["use bo",10,');
    first.put('use cy', 10, [3]);
    const second = openKeptValues(file, () => 0);
    expect([...second.startingWith('use')]).toEqual([
      ['use ada', [1]],
      ['use cy', [3]],
    ]);
  });

  it('take no more room than what is in force, however often they change', () => {
    const kept = openKeptValues(file, () => 0);
    for (let n = 0; n < 60_000; n += 1) kept.put(`use ${n % 100}`, 10, [n]);
    expect(statSync(file).size).toBeLessThan(1.1 * 1024 * 1024);
    expect(openKeptValues(file, () => 0).get('use 99')).toEqual([59_999]);
  });

  it('live in memory where the file cannot be written', () => {
    const errors: unknown[] = [];
    const kept = openKeptValues(
      join(import.meta.filename, 'kept.jsonl'),
      () => 0,
      (error) => errors.push(error),
    );
    kept.put('use ada', 10, [1]);
    expect(errors).toHaveLength(1);
    expect(kept.get('use ada')).toEqual([1]);
  });
});
