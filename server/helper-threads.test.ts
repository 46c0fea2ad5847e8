import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
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

function lowered(command: readonly string[]) {
  const [file = '', ...args] = [...command, process.execPath, '--input-type=module', '-e', SCRIPT];
  const text = execFileSync(file, args, { encoding: 'utf8' });
  return JSON.parse(text) as { lowered: number; main: number; threads: [string, number][] };
}

describe('helper threads', () => {
  const kinds = [
    { cores: 'one core', command: ['taskset', '-c', '0'], steps: 10 },
    { cores: 'all cores', command: [], steps: availableParallelism() > 1 ? 4 : 10 },
  ];
  it.runIf(process.platform === 'linux').each(kinds)(
    'step back on $cores, all of them and nobody else',
    ({ command, steps }) => {
      const found = lowered(command);
      const helpers = found.threads.filter(([name]) => name === 'V8Worker');
      expect(helpers.length).toBeGreaterThan(0);
      expect(found.lowered).toBe(helpers.length);
      expect(helpers.every(([, lower]) => lower === steps)).toBe(true);
      expect(found.threads.filter(([name]) => name !== 'V8Worker').every(([, lower]) => lower === 0)).toBe(
        true,
      );
      expect(found.main).toBe(0);
    },
  );
});
