import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { open } from '../../ts/index.js'
import { fetchJars, KafkaBroker, missingTools } from './kafka.js'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const missing = missingTools()
const partitions = 2

function lines(codec: string, from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `k${from + i}\t${codec}-${from + i}-${'x'.repeat((from + i) % 300)}`)
}

/** Everything in a topic as `key<TAB>value`, with offsets checked to be dense per partition. */
async function readAll(data: string, topic: string, readOnly = false): Promise<string[]> {
  const log = await open(data, { readOnly })
  try {
    const consumer = log.consumer()
    const ends = await log.admin().listOffsets({ topic })
    const total = ends.reduce((sum, end) => sum + Number(end.latest - end.earliest), 0)
    await consumer.subscribe([topic], { from: 'earliest' })
    const found: string[] = []
    const next = new Map<number, bigint>()
    if (total > 0) {
      for await (const message of consumer) {
        expect(message.offset).toBe(next.get(message.partition) ?? 0n)
        next.set(message.partition, message.offset + 1n)
        found.push(`${message.key?.toString()}\t${message.value?.toString()}`)
        if (found.length === total) break
      }
    }
    return found
  } finally {
    await log.close()
  }
}

describe.skipIf(missing !== null)(`a data directory shared with Apache Kafka${missing ? ` (${missing})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'seglog-interop-'))
  const kafka = new KafkaBroker(folder)
  const written = new Map<string, string[]>()

  beforeAll(async () => {
    fetchJars()
    await kafka.start()
    for (const codec of codecs) {
      kafka.createTopic(`from-kafka-${codec}`, partitions)
      const batch = lines(codec, 0, 4000)
      kafka.produce(`from-kafka-${codec}`, batch, codec)
      written.set(codec, batch)
    }
    kafka.createTopic('to-kafka', partitions)
  })
  afterAll(async () => {
    await kafka.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  test('written by Kafka and stopped cleanly: opens here and reads back equal', async () => {
    await kafka.stop()
    for (const codec of codecs) {
      const found = await readAll(kafka.data, `from-kafka-${codec}`)
      expect(found.sort()).toEqual([...(written.get(codec) as string[])].sort())
    }
  })

  test('written here under a topic that Kafka created: Kafka starts without recovery and consumes it equal', async () => {
    const log = await open(kafka.data)
    const expected: string[] = []
    for (const compression of codecs) {
      const producer = log.producer({ compression, acks: 'all' })
      const batch = lines(`seglog-${compression}`, 0, 3000)
      await producer.send({
        topic: 'to-kafka',
        messages: batch.map((line) => ({ key: line.split('\t')[0] ?? '', value: line.split('\t')[1] ?? '' })),
      })
      await producer.close()
      expected.push(...batch)
    }
    await log.close()

    await kafka.start()
    const consumed = kafka.consume('to-kafka', expected.length)
    const records = consumed.map((line) => line.split('\t').slice(2).join('\t'))
    expect(records.sort()).toEqual(expected.sort())
    const output = kafka.output()
    expect(output).toMatch(/Skipping recovery of \d+ logs .* since clean shutdown file was found/)
    expect(output).not.toMatch(/Recovering unflushed segment.*to-kafka/)
    expect(output).not.toMatch(/(WARN|ERROR).*to-kafka/)
  })

  test('Kafka appends behind our records, is killed, and the directory opens here and reads back equal', async () => {
    const more = lines('after', 0, 2000)
    kafka.produce('to-kafka', more, 'lz4')
    const before = kafka.consume('to-kafka', 3000 * codecs.length + more.length)
    await kafka.stop('SIGKILL')
    const found = await readAll(kafka.data, 'to-kafka')
    expect(found.sort()).toEqual(before.map((line) => line.split('\t').slice(2).join('\t')).sort())
    for (const codec of codecs) {
      const kept = await readAll(kafka.data, `from-kafka-${codec}`)
      expect(kept.sort()).toEqual([...(written.get(codec) as string[])].sort())
    }
  })
})
