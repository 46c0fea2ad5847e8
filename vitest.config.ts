import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['default'] },
  test: {
    include: ['{app,server,modules,prisma}/**/*.test.{ts,tsx}'],
    // Need a Redis, a PostgreSQL or more than seconds: `npm test` runs them (vitest.servers.config.ts).
    exclude: ['**/*.{redis,pg,slow}.test.ts', '**/node_modules/**'],
  },
});
