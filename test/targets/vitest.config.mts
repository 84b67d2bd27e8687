import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const root = join(__dirname, '..', '..')
const folder = join('test', 'client')

/** The client's tests that open their log by `target.ts`: they run unchanged against whatever SEGLOG_TEST_TARGET names. */
const files = readdirSync(join(root, folder)).filter((name) => {
  return name.endsWith('.test.ts') && readFileSync(join(root, folder, name), 'utf8').includes("'./target.js'")
})
const isKafka = process.env.SEGLOG_TEST_TARGET === 'kafka'

export default defineConfig({
  test: {
    root,
    include: files.map((name) => join(folder, name)),
    globalSetup: isKafka ? [join(root, 'test', 'targets', 'one-kafka.ts')] : [],
    // One cluster serves all tests, each of which begins by emptying it.
    fileParallelism: !isKafka,
    pool: 'forks',
    maxWorkers: isKafka ? 1 : 2,
    testTimeout: isKafka ? 120_000 : 30_000,
    // Of what is polled for, the time limit of the test is the only one that matters.
    expect: { poll: { timeout: 20_000, interval: 5 } },
    hookTimeout: 180_000,
  },
})
