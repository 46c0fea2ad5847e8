import { describe, expect, it } from 'vitest';
import { writeAll } from './state-file.ts';

describe('pieces of a record', () => {
  it.each([1, 3, 5, 100])('are whole in the file where the system takes %i bytes at a time', async (most) => {
    const file = Buffer.alloc(40, '.');
    const writev = async (pieces: readonly Buffer[], at: number) => {
      const bytes = Buffer.concat(pieces).subarray(0, most);
      bytes.copy(file, at);
      return { bytesWritten: bytes.length, buffers: pieces };
    };
    const pieces = ['abc', '', 'defg', 'h', 'ijklmnopq'].map((text) => Buffer.from(text));
    await writeAll({ writev } as unknown as Parameters<typeof writeAll>[0], pieces, 7);
    expect(file.toString()).toBe(`.......abcdefghijklmnopq${'.'.repeat(16)}`);
  });
});
