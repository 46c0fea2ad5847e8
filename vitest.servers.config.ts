import { defineConfig } from 'vitest/config';

/** Tests that start a real Redis, a real PostgreSQL, or take more than seconds. */
export default defineConfig({
  resolve: { conditions: ['default'] },
  test: {
    include: ['{app,server,modules,prisma}/**/*.{redis,pg,slow}.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
