// A long suite of vitest, which lives with its configuration in test/NAME/.
//   node scripts/test-suite.mjs crash|interop|disk|soak [vitest arguments]
import { join } from 'node:path'
import { conclude } from './notes.mjs'
import { runVitest } from './vitest.mjs'

const [name, ...args] = process.argv.slice(2)
conclude(runVitest(name, ['--config', join('test', name, 'vitest.config.mts'), ...args]))
