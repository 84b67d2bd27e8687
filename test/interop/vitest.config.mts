import { defineConfig } from 'vitest/config'

/** The interop suite: foreign programs as referees. One file at a time, since each starts JVMs. */
export default defineConfig({
  test: {
    include: ['test/interop/*.interop.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
