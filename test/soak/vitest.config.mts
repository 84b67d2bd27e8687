import { defineConfig } from 'vitest/config'

/** The soak of a server by hundreds of connections. Its length is SEGLOG_SOAK_SECONDS. */
export default defineConfig({
  test: {
    include: ['test/soak/*.soak.ts'],
    pool: 'forks',
    fileParallelism: false,
    hookTimeout: 120_000,
  },
})
