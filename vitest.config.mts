import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/package/**', 'test/crash/**', 'test/interop/**', 'test/disk/**'],
    pool: 'forks',
    maxWorkers: 2,
    globals: false,
    testTimeout: 30_000,
    // Of what is polled for, the time limit of the test is the only one that matters.
    expect: { poll: { timeout: 20_000, interval: 5 } },
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
  },
})
