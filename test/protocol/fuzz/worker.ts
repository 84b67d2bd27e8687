/**
 * Runs the targets in a worker thread of small memory, which scripts/test-fuzz-protocol.mjs watches. Every execution's
 * randomness comes from seed, target and number alone, so that one can be run again by itself.
 */
import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { decoderTargets, type Sample } from './decoder-targets.js'
import { frameTargets } from './frame-targets.js'
import { Random } from './random.js'
import { insist } from './target.js'

export interface Assignment {
  readonly samples: string
  readonly seed: number
  /** Executions over all targets. */
  readonly runs: number
  /** `TARGET:NUMBER`, to run that alone. */
  readonly only: string | null
  /** Target and number of the execution under way. */
  readonly progress: Int32Array
}

/**
 * Memory that one execution may take: an object for every few bytes of the input, read twice and written twice, beside
 * what the engine itself takes for compiled code. A length that is believed costs far more, or ends the worker.
 */
const bytesPerByte = 400
const bytesOfEngine = 4 << 20

const { samples, seed, runs, only, progress } = workerData as Assignment
const lines = gunzipSync(readFileSync(samples)).toString().trim().split('\n')
const targets = [...frameTargets, ...decoderTargets(lines.map((line) => JSON.parse(line) as Sample))]
const runsPerTarget = Math.ceil(runs / targets.length)

for (const [index, target] of targets.entries()) {
  const [onlyTarget, onlyNumber] = only === null ? [index, null] : only.split(':').map(Number)
  if (onlyTarget !== index) continue
  let failure: string | null = null
  const numbers = onlyNumber === null ? Array.from({ length: runsPerTarget }, (_, n) => n) : [onlyNumber!]
  for (const number of numbers) {
    progress[0] = index
    progress[1] = number
    const random = new Random(seed, index, number)
    const input = target.input(random)
    const before = memory()
    try {
      target.check(input, random)
      const taken = memory() - before
      insist(
        taken < bytesOfEngine + bytesPerByte * input.length,
        `${taken} bytes of memory for ${input.length} of input`,
      )
    } catch (error) {
      failure = `--seed=${seed} --only=${index}:${number}: ${(error as Error).stack}\n  input ${input.toString('hex')}`
      break
    }
  }
  parentPort!.postMessage({ name: target.name, failure })
}

function memory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}
