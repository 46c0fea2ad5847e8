import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openKeptValues } from './kept-values.ts';
import { openHandshakes } from './socket-limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'handshakes-'));
const file = join(folder, 'limits.jsonl');
afterAll(() => rmSync(folder, { recursive: true }));

/** The handshakes of a process; what the one before it counted is in the file. */
function open() {
  const kept = openKeptValues({ file, clock: Date.now, secret: 'a secret' });
  return openHandshakes({ handshakesPerAddress: 2, handshakesPerStudent: 9 }, 'socket', kept);
}

test('handshakes of an address count for the next process, and no file tells the address', async () => {
  const first = open();
  expect(await first.fromAddress('10.1.2.3')).toBe(0);
  expect(await first.fromAddress('10.1.2.3')).toBe(0);
  const next = open();
  expect(await next.fromAddress('10.1.2.3')).toBeGreaterThan(0);
  expect(await next.fromAddress('10.1.2.4')).toBe(0);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('address socket ');
  expect(text).not.toContain('10.1.2');
});
