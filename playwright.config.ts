import { defineConfig } from '@playwright/test';

/** Each spec starts the servers it needs (e2e/school.ts); nothing is shared, nothing is retried. */
export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  retries: 0,
  timeout: 90_000,
  reporter: 'list',
  outputDir: 'var/test-results',
  use: {
    launchOptions: {
      ...(process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM } : {}),
      args: ['--no-sandbox'],
    },
    trace: 'off',
  },
});
