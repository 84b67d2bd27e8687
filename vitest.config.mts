import { defineConfig } from 'vitest/config'

/** Tests over connections; they are run over each kind of them. */
const overConnections = [
  'test/server/{bad-input,every-version,listener,long-requests,requests,server-limits,shutdown}.test.ts',
]

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    globals: false,
    testTimeout: 30_000,
    // Of what is polled for, the time limit of the test is the only one that matters.
    expect: { poll: { timeout: 20_000, interval: 5 } },
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**', 'test/crash/**', 'test/interop/**', 'test/disk/**'],
        },
      },
      ...['off', 'always'].map((transfer) => ({
        extends: true as const,
        test: { name: `transfer ${transfer}`, include: overConnections, env: { SEGLOG_TRANSFER: transfer } },
      })),
    ],
  },
})
