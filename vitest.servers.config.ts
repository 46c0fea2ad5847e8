import { defineConfig } from 'vitest/config';

const SLOW = '{app,server,modules,prisma}/**/*.{redis,pg,slow}.test.ts';
/** They say how long something may take, or load this machine: nothing else runs beside them. */
const ALONE = [
  'modules/google-docs/edit-cost.slow.test.ts',
  'server/commands/bench/*.slow.test.ts',
  'server/live/*.slow.test.ts',
  'server/proof/wire.slow.test.ts',
  'server/proof/conformance/doors.slow.test.ts',
  'server/proof/conformance/health.slow.test.ts',
  'server/stream/*.slow.test.ts',
];

/** Tests that start a real Redis, a real PostgreSQL, or take more than seconds. */
export default defineConfig({
  resolve: { conditions: ['default'] },
  test: {
    testTimeout: 120_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: [SLOW],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
