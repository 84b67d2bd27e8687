// Fuzzes what parses bytes from the network: the frame readers, every request and response decoder, and the payloads of
// records. Inputs are Kafka's own messages, damaged; each must give a value that can be written again, or
// MALFORMED_MESSAGE, with memory in proportion to its bytes.
//   node scripts/test-fuzz-protocol.mjs [--runs=N] [--seed=N] [--only=TARGET:NUMBER]
// N executions over all targets (default SEGLOG_FUZZ_RUNS, else 400000). A failure prints what runs it alone. Each target
// counts as one.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { cacheFolder, countLine, root } from './shared.mjs'

const argument = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
const runs = Number(argument('runs') ?? process.env.SEGLOG_FUZZ_RUNS ?? 400_000)
const seed = Number(argument('seed') ?? process.env.SEGLOG_FUZZ_SEED ?? 1)
const only = argument('only') ?? null
/** An execution takes microseconds: one that takes this long hangs. */
const hangMs = 30_000

const program = join(cacheFolder, 'fuzz-protocol.cjs')
createRequire(import.meta.url)('esbuild').buildSync({
  entryPoints: [join(root, 'test', 'protocol', 'fuzz', 'worker.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  packages: 'external',
  logLevel: 'error',
})

const counts = { passed: 0, failed: 0 }
const progress = new Int32Array(new SharedArrayBuffer(8))
const worker = new Worker(program, {
  workerData: {
    samples: join(root, 'test', 'protocol', 'fixtures', 'kafka-4.3-messages.jsonl.gz'),
    seed,
    runs,
    only,
    progress,
  },
  // What believes a lying length does not get far.
  resourceLimits: { maxOldGenerationSizeMb: 256 },
})

let last = ''
const watch = setInterval(() => {
  const now = progress.join(':')
  if (now === last) fail(`it hangs at --seed=${seed} --only=${now}`)
  last = now
}, hangMs)

worker.on('message', ({ name, failure }) => {
  counts[failure === null ? 'passed' : 'failed']++
  console.log(failure === null ? `passed: ${name}` : `failed: ${name}\n  ${failure}`)
})
worker.on('error', (error) => fail(`the worker died at --seed=${seed} --only=${progress.join(':')}: ${error.message}`))
worker.on('exit', end)

function fail(why) {
  counts.failed++
  console.log(why)
  worker.terminate()
}

function end() {
  clearInterval(watch)
  console.log(countLine(counts))
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
}
