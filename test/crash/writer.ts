/**
 * The victim: several producers that write until somebody kills the process. Every acknowledgement goes to stdout
 * with a synchronous write, after it arrived and before the next send, so what stdout holds was promised.
 *
 * A line: `acks topic partition offset id`; the offset of a send's first record is exact, the others' (marked `+`) may lie
 * higher, where the send took several batches and another producer wrote in between.
 */
import { writeSync } from 'node:fs'
import { open } from '../../ts/index.js'
import type { FaultPlan } from '../../ts/native/engine.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { randomFrom } from './child.js'

export interface WriterOptions {
  data: string
  cycle: number
  seed: number
  writers: number
  topics: string[]
  partitions: number
  /** Topic config for topics that do not exist yet. */
  config: Record<string, string>
  /** 'mixed': even writers acks 1, odd ones acks all. */
  acks: 'all' | 'mixed'
  /** Kill or fail at a chosen I/O call instead of at a random moment. */
  fault?: FaultPlan
  /** Records per writer, then a clean close; without it the writers never end. */
  limit?: number
}

const codecs = ['none', 'none', 'gzip', 'lz4'] as const

async function main(options: WriterOptions): Promise<void> {
  const log = await open(options.data, { config: { 'seglog.journal.max.bytes': 128 << 20 } })
  const admin = log.admin()
  const existing = new Set(await admin.listTopics())
  for (const topic of options.topics) {
    if (!existing.has(topic)) await admin.createTopic({ topic, partitions: options.partitions, config: options.config })
  }
  writeSync(1, 'ready\n')
  if (options.fault) openEngine().injectFaults(options.fault)

  const writers = Array.from({ length: options.writers }, async (_, writer) => {
    const random = randomFrom(options.seed * 1000 + writer)
    const acks = options.acks === 'all' || writer % 2 === 1 ? 'all' : 1
    const producer = log.producer({ acks, compression: codecs[writer % codecs.length] ?? 'none' })
    for (let n = 0; options.limit === undefined || n < options.limit; n += 1) {
      const count = random() < 0.2 ? 1 + Math.floor(random() * 40) : 1
      const topic = options.topics[Math.floor(random() * options.topics.length)] ?? ''
      const partition = Math.floor(random() * options.partitions)
      const ids = Array.from({ length: count }, (_id, i) => `${options.cycle}-${writer}-${n}-${i}`)
      const padding = 'p'.repeat(Math.floor(random() * (random() < 0.05 ? 30_000 : 600)))
      const [result] = await producer.send({
        topic,
        messages: ids.map((id) => ({ key: id, value: padding, partition })),
      })
      if (!result) throw new Error('a send without a result')
      writeSync(
        1,
        ids
          .map((id, i) => `${acks} ${topic} ${partition} ${result.baseOffset + BigInt(i)}${i === 0 ? '' : '+'} ${id}\n`)
          .join(''),
      )
      // Bursts rather than a flood: what counts is how often the log is caught in the act, not how much it holds.
      if (n % 3 === 2) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })
  await Promise.all(writers)
  await log.close()
  writeSync(1, 'closed\n')
}

main(JSON.parse(process.argv[2] ?? '{}') as WriterOptions).catch((error: unknown) => {
  writeSync(2, `${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
