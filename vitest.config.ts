import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['default'] },
  test: {
    // A busy machine is not a failure: a test that hangs ends all the same.
    testTimeout: 20_000,
    // Every core: the default leaves one idle, which is half of a small machine.
    maxWorkers: '100%',
    include: ['{app,server,modules,prisma}/**/*.test.{ts,tsx}'],
    // Need a Redis, a PostgreSQL or more than seconds: `npm test` runs them (vitest.servers.config.ts).
    exclude: ['**/*.{redis,pg,slow}.test.ts', '**/node_modules/**'],
  },
});
