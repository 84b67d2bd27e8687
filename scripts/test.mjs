// `npm test`: the TypeScript tests (vitest), then the C++ unit tests (GoogleTest), then one line with both counts.
//   npm test -- test/log -t 'rolls'     arguments go to vitest, and the C++ tests stay out
import { conclude } from './notes.mjs'
import { addCounts } from './shared.mjs'
import { testNative } from './test-native.mjs'
import { runVitest } from './vitest.mjs'

const args = process.argv.slice(2)
const suites = [runVitest('unit', args)]
if (args.length === 0) suites.push(testNative())
conclude({ ...addCounts(suites), notes: suites.flatMap(({ notes }) => notes) })
