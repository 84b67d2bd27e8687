// The client's own tests on each target: in this process, our server, Apache Kafka; then one line with all counts.
//   node scripts/test-targets.mjs [memory|serve|kafka ...] [-- vitest arguments]
import { join } from 'node:path'
import { countLine } from './shared.mjs'
import { runVitest } from './vitest.mjs'

const targets = ['memory', 'serve', 'kafka']
const args = process.argv.slice(2)
const named = args.filter((arg) => targets.includes(arg))
const rest = args.filter((arg) => !targets.includes(arg) && arg !== '--')
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const target of named.length > 0 ? named : targets) {
  console.log(`\n--- target ${target}`)
  process.env.SEGLOG_TEST_TARGET = target
  const found = runVitest(`target-${target}`, ['--config', join('test', 'targets', 'vitest.config.mts'), ...rest])
  for (const key of Object.keys(counts)) counts[key] += found[key]
}
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
