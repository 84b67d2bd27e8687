// `npm test`: the TypeScript tests (vitest), then the C++ unit tests (GoogleTest), then one line with both counts.
//   npm test -- test/log -t 'rolls'     arguments go to vitest, and the C++ tests stay out
import { countLine } from './shared.mjs'
import { testNative } from './test-native.mjs'
import { runVitest } from './vitest.mjs'

const args = process.argv.slice(2)
const suites = [runVitest('unit', args)]
if (args.length === 0) suites.push(testNative())
const sum = (name) => suites.reduce((total, counts) => total + counts[name], 0)
const counts = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
