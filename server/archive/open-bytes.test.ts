import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesInFile, bytesInMemory } from './open-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'open-bytes-'));
const path = join(folder, 'one.open');
const text = Buffer.from('0123456789');
writeFileSync(path, text);
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['in memory', () => ({ ...bytesInMemory(text), close: () => {} })],
  ['in a file', () => bytesInFile(path, text.length)],
])('an open segment %s', (_where, open) => {
  it('is copied by its places, and never beyond its end', () => {
    const bytes = open();
    const into = Buffer.alloc(4);
    bytes.copy(into, 6);
    expect(into.toString()).toBe('6789');
    expect(() => bytes.copy(into, 7)).toThrow('its end is missing');
    bytes.close();
  });
});
