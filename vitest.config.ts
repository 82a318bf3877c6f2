import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their sources (the @nats-ts/source condition), so tests need no build;
// the process tests below tests/ run the built apps and scripts/test.mjs builds them first.
// Not `import`: workers run under these, and CommonJS dependencies would then require ES modules.
const conditions = ['@nats-ts/source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'tests/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Suites start servers as processes; two of them side by side is what a two-core machine carries.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    execArgv: ['--conditions=@nats-ts/source'],
  },
});
