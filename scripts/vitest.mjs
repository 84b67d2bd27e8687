// Runs vitest and counts its tests. It prints as usual; the counts come from its JSON report.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, tryRun } from './shared.mjs'

/** { passed, failed, skipped } of `vitest run` with further arguments; a run that dies counts as one failure. */
export function runVitest(name, args = []) {
  const report = join(cacheFolder, `vitest-${name}.json`)
  mkdirSync(cacheFolder, { recursive: true })
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const code = tryRun('vitest', ['run', ...reporters, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'))
  // A file that does not load and an error outside any test fail no test, but they end vitest with a code.
  const failed = code !== 0 && numFailedTests === 0 ? 1 : numFailedTests
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests }
}
