// The client's own tests on each target: in this process, our server, Apache Kafka; then one line with all counts.
//   node scripts/test-targets.mjs [memory|serve|kafka ...] [-- vitest arguments]
import { join } from 'node:path'
import { conclude } from './notes.mjs'
import { addCounts } from './shared.mjs'
import { runVitest } from './vitest.mjs'

const targets = ['memory', 'serve', 'kafka']
const args = process.argv.slice(2)
const named = args.filter((arg) => targets.includes(arg))
const rest = args.filter((arg) => !targets.includes(arg) && arg !== '--')
const found = (named.length > 0 ? named : targets).map((target) => {
  console.log(`\n--- target ${target}`)
  process.env.SEGLOG_TEST_TARGET = target
  const config = join('test', 'targets', 'vitest.config.mts')
  return runVitest(`target-${target}`, ['--config', config, ...rest], `${target}: `)
})
conclude({ ...addCounts(found), notes: found.flatMap(({ notes }) => notes) })
