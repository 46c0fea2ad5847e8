import type { NextConfig } from 'next';

const config: NextConfig = {
  poweredByHeader: false,
  // `npm run verify` checks the types of everything; a start need not do it again.
  typescript: { ignoreBuildErrors: true },
  reactStrictMode: true,
  // Native and wasm packages stay out of the bundler and are loaded by Node itself.
  serverExternalPackages: [
    '@electric-sql/pglite',
    'pglite-prisma-adapter',
    '@prisma/client',
    '@prisma/adapter-pg',
    'ioredis',
    'pino',
  ],
};

export default config;
