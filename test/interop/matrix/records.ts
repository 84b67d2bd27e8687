import { expect, test } from 'vitest'
import type { BrokerUnderTest } from '../brokers/broker-under-test.js'
import type { Codec, ForeignClient, FoundRecord, GivenRecord } from '../clients/foreign-client.js'
import { batchesOnDisk } from './disk.js'

/** What a test needs of the file it stands in: its broker, its client, and a way to make a topic. */
export interface Bench {
  broker: BrokerUnderTest
  client: ForeignClient
  createTopic(purpose: string, partitions: number, configs?: Record<string, string>): Promise<string>
}

const partitions = 3
const start = 1_700_000_000_000

function variedRecords(codec: Codec): GivenRecord[] {
  return Array.from({ length: 600 }, (_, i) => ({
    partition: i % partitions,
    key: i % 7 === 0 ? null : `key-${i}`,
    // Tombstones need a key in some clients' view of the world.
    value: i % 7 !== 0 && i % 11 === 0 ? null : `${codec} ${i} ${'ü€🙂'.repeat(i % 40)}${'x'.repeat((i * 37) % 400)}`,
    headers:
      i % 5 === 0
        ? [
            ['source', 'interop'],
            [`n-${i % 3}`, `wert ü ${i}`],
          ]
        : [],
    timestamp: start + i,
  }))
}

/** By partition and place within it; offsets are checked to be dense. */
function inOrder(found: readonly FoundRecord[]): Map<number, FoundRecord[]> {
  const byPartition = new Map<number, FoundRecord[]>()
  for (const record of found) byPartition.set(record.partition, [...(byPartition.get(record.partition) ?? []), record])
  for (const records of byPartition.values()) {
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, i) => i + (records[0] as FoundRecord).offset))
  }
  return byPartition
}

/** The same text for the same record, whatever the order of its fields. */
function inWords({ partition, key, value, headers }: Omit<GivenRecord, 'timestamp'>): string {
  return JSON.stringify([partition, key, value, headers])
}

/** Without timestamps the client was given the records in runs of like ones, so their order is not that of the list. */
function expectRecords(found: readonly FoundRecord[], given: readonly GivenRecord[], timestamps: boolean): void {
  expect(found.length).toBe(given.length)
  for (const [partition, records] of inOrder(found)) {
    const due = given.filter((one) => one.partition === partition)
    const found = records.map(({ partition, key, value, headers, timestamp }) => ({
      partition,
      key,
      value,
      headers,
      ...(timestamps ? { timestamp } : {}),
    }))
    const wanted = due.map((one) => ({ headers: [], ...one }))
    if (timestamps) expect(found).toEqual(wanted)
    else expect(found.map((one) => inWords(one)).sort()).toEqual(wanted.map((one) => inWords(one)).sort())
  }
}

/** Produce and consume: codecs, keys, headers, nulls, sizes. `timestamps`: whether the client's user can give them. */
export function recordTests(bench: () => Bench, { timestamps = true, largestBytes = 1_000_000 } = {}): void {
  const expectEqual = (found: readonly FoundRecord[], given: readonly GivenRecord[]) =>
    expectRecords(found, timestamps ? given : given.map(({ timestamp: _, ...rest }) => rest), timestamps)

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    '%s: what was written is read, and stored so',
    async (codec) => {
      const { broker, client, createTopic } = bench()
      expect(client.codecs).toContain(codec)
      const topic = await createTopic(`codec-${codec}`, partitions)
      const given = variedRecords(codec)
      await client.produce({ bootstrap: broker.bootstrap, topic, records: given, codec, perBatch: 100 })
      const found = await client.consume({
        bootstrap: broker.bootstrap,
        topic,
        partitions,
        count: given.length,
        from: 'earliest',
      })
      expectEqual(found, given)
      for (let partition = 0; partition < partitions; partition += 1) {
        const batches = batchesOnDisk(broker.data, `${topic}-${partition}`)
        // librdkafka leaves a batch as it is where compressing makes it larger.
        const compressed = batches.filter((batch) => batch.records > 10)
        expect(new Set(compressed.map((batch) => batch.codec))).toEqual(new Set([codec]))
        expect(batches.reduce((sum, batch) => sum + batch.records, 0)).toBe(given.length / partitions)
      }
    },
  )

  test.each(['none', 'zstd'] as const)(
    '%s: one record near max.message.bytes, and a larger one is refused',
    async (codec) => {
      const { broker, client, createTopic } = bench()
      const topic = await createTopic('large', 1)
      // Not compressible, or the limit would not be near.
      const noise = (bytes: number) =>
        Array.from({ length: Math.ceil(bytes / 11) }, () => Math.random().toString(36).slice(2, 13).padEnd(11, '0'))
          .join('')
          .slice(0, bytes)
      const large: GivenRecord = { partition: 0, key: 'large', value: noise(largestBytes), timestamp: start }
      await client.produce({ bootstrap: broker.bootstrap, topic, records: [large], codec })
      const tooLarge = { ...large, value: noise(2_200_000) }
      await expect(client.produce({ bootstrap: broker.bootstrap, topic, records: [tooLarge], codec })).rejects.toThrow(
        /too.?large|MESSAGE_TOO_LARGE|larger than|MessageSizeTooLarge|too long|max message size|RecordTooLarge/i,
      )
      const after: GivenRecord = { partition: 0, key: 'after', value: 'small', timestamp: start + 1 }
      await client.produce({ bootstrap: broker.bootstrap, topic, records: [after], codec })
      const found = await client.consume({
        bootstrap: broker.bootstrap,
        topic,
        partitions: 1,
        count: 2,
        from: 'earliest',
      })
      expectEqual(found, [large, after])
    },
  )

  test('tiny batches: one record each, acks 1 and 0', async () => {
    const { broker, client, createTopic } = bench()
    const topic = await createTopic('tiny', 1)
    const records = (from: number): GivenRecord[] =>
      Array.from({ length: 40 }, (_, i) => ({ partition: 0, key: null, value: `${from + i}`, timestamp: start + i }))
    const job = { bootstrap: broker.bootstrap, topic, perBatch: 1 }
    await client.produce({ ...job, records: records(0), acks: 1 })
    await client.produce({ ...job, records: records(40), acks: 0 })
    await client.produce({ ...job, records: records(80), acks: 'all' })
    const found = await client.consume({
      bootstrap: broker.bootstrap,
      topic,
      partitions: 1,
      count: 120,
      from: 'earliest',
    })
    // A producer without acks has no promise of order with the next one; this one waits for its connection to close.
    expect(found.map(({ value }) => Number(value)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 120 }, (_, i) => i),
    )
    expect(batchesOnDisk(broker.data, `${topic}-0`).every((batch) => batch.records === 1)).toBe(true)
  })

  // Not registered where the client's user cannot give timestamps: its own tests have somebody else write them.
  if (timestamps)
    test('seek by time: reading starts at the first record at or after it, in every partition', async () => {
      const { broker, client, createTopic } = bench()
      const topic = await createTopic('time', partitions)
      const given: GivenRecord[] = Array.from({ length: 900 }, (_, i) => ({
        partition: i % partitions,
        key: `${i}`,
        value: `${i}`,
        timestamp: start + i * 1000,
      }))
      await client.produce({ bootstrap: broker.bootstrap, topic, records: given, perBatch: 30 })
      const read = (timestamp: number, count: number) =>
        client.consume({ bootstrap: broker.bootstrap, topic, partitions, count, from: { timestamp } })
      // Between two records, and exactly at one.
      for (const [timestamp, first] of [
        [start + 500_500, 501],
        [start + 700_000, 700],
      ] as const) {
        const found = await read(timestamp, given.length - first)
        expectEqual(found, given.slice(first))
      }
    })
}
