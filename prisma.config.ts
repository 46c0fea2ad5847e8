import { defineConfig } from 'prisma/config';

// The stock engine is a download; this stand-in runs the same engine from npm. Prisma reads the variable before it looks for the download.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= new URL('./prisma/schema-engine.mjs', import.meta.url).pathname;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/learning_observer' },
});
