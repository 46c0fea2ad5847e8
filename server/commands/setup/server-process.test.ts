import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LITTLE_MEMORY_FLAGS, SERVER_ENVIRONMENT, SERVER_FLAGS } from './server-process.mjs';

const root = new URL('../../../', import.meta.url);
const textOf = (name: string) => readFileSync(new URL(name, root), 'utf8');

describe('how the server is started', () => {
  it('is the same in a container', () => {
    expect(textOf('Dockerfile')).toContain(
      `CMD ${JSON.stringify(['node', ...SERVER_FLAGS, 'server/main.ts']).replaceAll(',', ', ')}`,
    );
    for (const [name, value] of Object.entries(SERVER_ENVIRONMENT))
      expect(textOf('Dockerfile')).toMatch(new RegExp(`^ENV .*\\b${name}=${value}\\b`, 'm'));
  });

  it('is the same by hand', () => {
    const environment = Object.entries(SERVER_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    expect(textOf('README.md')).toContain(
      `NODE_ENV=production ${environment.join(' ')} \\\n  node ${SERVER_FLAGS.join(' ')} server/main.ts`,
    );
  });

  it('is said for a machine with little memory', () => {
    for (const flag of LITTLE_MEMORY_FLAGS) expect(textOf('README.md')).toContain(`\`${flag}\``);
  });
});
