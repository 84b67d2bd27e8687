import { defineConfig } from 'vitest/config'

/** Full disks and file systems that allocate on overwrite. Needs root; says so where it is not. */
export default defineConfig({
  test: {
    include: ['test/disk/*.disk.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
