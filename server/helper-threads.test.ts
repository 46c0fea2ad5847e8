import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const module = new URL('./helper-threads.ts', import.meta.url).href;
/** In a process of its own: a priority that was lowered stays so. */
const SCRIPT = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { getPriority } from 'node:os';
  import { lowerHelperThreads } from ${JSON.stringify(module)};
  const before = getPriority();
  const lowered = lowerHelperThreads();
  const threads = readdirSync('/proc/self/task').map((id) => [
    readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim(),
    getPriority(Number(id)) - before,
  ]);
  console.log(JSON.stringify({ lowered, main: getPriority(process.pid) - before, threads }));
`;

describe('helper threads', () => {
  it.runIf(process.platform === 'linux')('step back, all of them and nobody else', () => {
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8' });
    const found = JSON.parse(text) as { lowered: number; main: number; threads: [string, number][] };
    const helpers = found.threads.filter(([name]) => name === 'V8Worker');
    expect(helpers.length).toBeGreaterThan(0);
    expect(found.lowered).toBe(helpers.length);
    expect(helpers.every(([, lower]) => lower === 10)).toBe(true);
    expect(found.threads.filter(([name]) => name !== 'V8Worker').every(([, lower]) => lower === 0)).toBe(
      true,
    );
    expect(found.main).toBe(0);
  });
});
