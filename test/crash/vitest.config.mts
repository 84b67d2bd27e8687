import { defineConfig } from 'vitest/config'

/** The crash suites: kills, power loss and failing disks. Long; sized by SEGLOG_* variables. */
export default defineConfig({
  test: {
    include: ['test/crash/*.crash.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
})
