// `npm test`: the TypeScript tests (vitest), then the C++ unit tests (GoogleTest), then one line with both counts.
//   npm test -- test/log -t 'rolls'     arguments go to vitest, and the C++ tests stay out
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, countLine, tryRun } from './shared.mjs'
import { testNative } from './test-native.mjs'

function testTypeScript(args) {
  const report = join(cacheFolder, 'vitest.json')
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

const args = process.argv.slice(2)
const suites = [testTypeScript(args)]
if (args.length === 0) suites.push(testNative())
const sum = (name) => suites.reduce((total, counts) => total + counts[name], 0)
const counts = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
