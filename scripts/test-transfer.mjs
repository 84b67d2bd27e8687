// Foreign clients with the broker's transfer off, and with it forced for every answer (seglog.transfer); the interop suite
// itself runs with what is chosen by default. Here the part of it that tells: records of every codec and size, whole and
// with connections cut. Ends with one line with all counts.
//   node scripts/test-transfer.mjs [off|always|auto ...] [--all] [-- vitest arguments]     --all: the whole suite
import { join } from 'node:path'
import { conclude } from './notes.mjs'
import { addCounts } from './shared.mjs'
import { runVitest } from './vitest.mjs'

const choices = ['off', 'always', 'auto']
const args = process.argv.slice(2)
const named = args.filter((arg) => choices.includes(arg))
const rest = args.filter((arg) => !choices.includes(arg) && arg !== '--all' && arg !== '--')
const files = ['confluent', 'java-4', 'kafkajs'].map((name) => `/${name}.interop.ts`)
const titles = 'what was written is read|near max.message.bytes|tiny batches|seek by time|connections cut'
const part = args.includes('--all') ? [] : [...files, '-t', titles]
const found = (named.length > 0 ? named : ['off', 'always']).map((transfer) => {
  console.log(`\n--- seglog.transfer=${transfer}`)
  process.env.SEGLOG_TRANSFER = transfer
  const config = join('test', 'interop', 'vitest.config.mts')
  const label = `transfer ${transfer}: `
  const { skipped, notes, ...counts } = runVitest(`transfer-${transfer}`, ['--config', config, ...part, ...rest], label)
  if (part.length === 0) return { ...counts, skipped, notes }
  // What the titles leave out is no test that was skipped.
  return { ...counts, skipped: 0, notes: notes.filter((text) => text.startsWith('FAILED')) }
})
conclude({ ...addCounts(found), notes: found.flatMap(({ notes }) => notes) })
