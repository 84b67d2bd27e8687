import { describe, expect, test } from 'vitest'
import type { Consumer, ConsumerMessage, ConsumerOptions, SeglogLog } from '../../ts/index.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

/** A topic with values '0', '1', ... in each partition. */
async function withRecords(count: number, partitions = 1, config = {}) {
  const log = await openTarget()
  await log.admin().createTopic({ topic: 't', partitions, config })
  await append(log, 0, count, partitions)
  return log
}

async function append(log: SeglogLog, from: number, to: number, partitions = 1, batchSize = 1024) {
  const producer = log.producer({ acks: 1, batchSize })
  for (let partition = 0; partition < partitions; partition++) {
    const messages = []
    for (let n = from; n < to; n++) messages.push({ value: String(n), partition, timestamp: 1000 + n })
    await producer.send({ topic: 't', messages })
  }
  await producer.close()
}

async function assigned(log: SeglogLog, offset: bigint | 'earliest' | 'latest' = 0n, options?: ConsumerOptions) {
  const consumer = log.consumer(options)
  await consumer.assign([{ topic: 't', partition: 0, offset }])
  return consumer
}

/** The next messages, then the loop is left. */
async function take(consumer: Consumer, count: number): Promise<ConsumerMessage[]> {
  const messages: ConsumerMessage[] = []
  if (count === 0) return messages
  for await (const message of consumer) {
    messages.push(message)
    if (messages.length === count) break
  }
  return messages
}

const values = (messages: readonly ConsumerMessage[]) => messages.map(({ value }) => Number(value))
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const place = { topic: 't', partition: 0 }

describe('loops', () => {
  test('a broken loop leaves the message in hand to the next one', async () => {
    const log = await withRecords(500)
    const consumer = await assigned(log)
    expect(values(await take(consumer, 3))).toEqual([0, 1, 2])
    expect(consumer.position(place)).toBe(2n)
    expect(values(await take(consumer, 200))).toEqual(range(2, 202))
    expect(values(await take(consumer, 1))).toEqual([201])
  })

  test('a thrown error leaves it too', async () => {
    const log = await withRecords(5)
    const consumer = await assigned(log)
    const loop = async () => {
      for await (const message of consumer) if (message.offset === 2n) throw new Error('mine')
    }
    expect(await rejection(loop())).toMatchObject({ message: 'mine' })
    expect(values(await take(consumer, 1))).toEqual([2])
  })

  test('so does a loop over batches', async () => {
    const log = await withRecords(500)
    const consumer = await assigned(log)
    let seen = 0
    let second = 0n
    for await (const batch of consumer.batches()) {
      if (++seen < 2) continue
      second = batch.baseOffset
      break
    }
    expect(second).toBeGreaterThan(0n)
    expect(values(await take(consumer, 1))).toEqual([Number(second)])
  })

  test('batches hold everything once, from the offset asked for', async () => {
    const log = await withRecords(500)
    const consumer = await assigned(log, 123n)
    const read: number[] = []
    let viewed = 0
    for await (const batch of consumer.batches()) {
      expect(batch.baseOffset).toBe(BigInt(123 + read.length))
      const own = values([...batch])
      expect(batch.count).toBe(own.length)
      expect(batch.lastOffset).toBe(batch.baseOffset + BigInt(own.length) - 1n)
      batch.forEachView((bytes, start, length, _keyStart, keyLength, offset, timestamp) => {
        expect(Number(bytes.toString('latin1', start, start + length))).toBe(offset)
        expect([keyLength, timestamp]).toEqual([-1, 1000 + offset])
        viewed++
      })
      read.push(...own)
      if (read.length === 377) break
    }
    expect(read).toEqual(range(123, 500))
    expect(viewed).toBe(377)
  })

  test('two loops at once', async () => {
    const log = await withRecords(5)
    const consumer = await assigned(log)
    for await (const _ of consumer) {
      expect(await rejection(take(consumer, 1))).toMatchObject({ code: 'CONSUMER_BUSY' })
      expect(await rejection(consumer.batches().next())).toMatchObject({ code: 'CONSUMER_BUSY' })
      break
    }
    expect(await take(consumer, 5)).toHaveLength(5)
  })

  test('calls of next that are not awaited come in order', async () => {
    const log = await withRecords(3)
    const consumer = await assigned(log)
    const iterator = consumer[Symbol.asyncIterator]()
    const waiting = Array.from({ length: 5 }, () => iterator.next())
    await append(log, 3, 5)
    const results = await Promise.all(waiting)
    expect(results.map(({ value }) => Number(value?.value))).toEqual([0, 1, 2, 3, 4])
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test('a message kept after its batch, copied', async () => {
    const log = await withRecords(100)
    const [message] = await take(await assigned(log, 50n), 1)
    const copy = message.copy()
    expect([String(copy.value), copy.offset, copy.topic, copy.partition]).toEqual(['50', 50n, 't', 0])
    expect(copy.value!.buffer.byteLength).toBeLessThan(100)
    expect(JSON.parse(JSON.stringify(copy))).toMatchObject({ offset: '50', value: '50', key: null })
  })

  test('run calls the handler for each until the consumer is closed', async () => {
    const log = await withRecords(10)
    const consumer = await assigned(log)
    const seen: number[] = []
    await consumer.run({
      eachMessage: async (message) => {
        seen.push(Number(message.value))
        if (seen.length === 10) await consumer.close()
      },
    })
    expect(seen).toEqual(range(0, 10))
  })

  test('run rejects with what the handler throws', async () => {
    const log = await withRecords(10)
    const consumer = await assigned(log)
    const eachBatch = () => {
      throw new Error('mine')
    }
    expect(await rejection(consumer.run({ eachBatch }))).toMatchObject({ message: 'mine' })
    expect(values(await take(consumer, 1))).toEqual([0])
    expect(await rejection(consumer.run({}))).toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('waiting', () => {
  test('an append wakes the loop', async () => {
    const log = await withRecords(0)
    const consumer = await assigned(log, 0n, { maxWaitTimeInMs: 60_000 })
    const reading = take(consumer, 5)
    await append(log, 0, 2)
    await append(log, 2, 5)
    expect(values(await reading)).toEqual(range(0, 5))
  })

  test('a wait that ends without records is begun again', async () => {
    const log = await withRecords(0)
    const consumer = await assigned(log, 0n, { maxWaitTimeInMs: 1 })
    const reading = take(consumer, 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    await append(log, 0, 1)
    expect(values(await reading)).toEqual([0])
  })

  test('closing ends the loop without an error', async () => {
    const log = await withRecords(3)
    const consumer = await assigned(log)
    const seen: number[] = []
    const reading = (async () => {
      for await (const message of consumer) seen.push(Number(message.value))
    })()
    while (seen.length < 3) await new Promise((resolve) => setImmediate(resolve))
    await consumer.close()
    await consumer.close()
    await reading
    expect(await rejection(take(consumer, 1))).toMatchObject({ code: 'CLOSED' })
    expect(await rejection(consumer.assign([]))).toMatchObject({ code: 'CLOSED' })
  })

  test('closing the log ends it too', async () => {
    const log = await withRecords(0)
    const reading = take(await assigned(log), 1)
    await log.close()
    expect(await reading).toEqual([])
  })

  test('a signal ends it with ABORTED', async () => {
    const log = await withRecords(0)
    const controller = new AbortController()
    const consumer = await assigned(log, 0n, { signal: controller.signal })
    const reading = rejection(take(consumer, 1))
    controller.abort(new Error('enough'))
    expect(await reading).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
    expect(await rejection(consumer.assign([]))).toMatchObject({ code: 'ABORTED' })
  })

  test('assigning another partition while the loop waits', async () => {
    const log = await withRecords(3, 2)
    const consumer = log.consumer({ maxWaitTimeInMs: 60_000 })
    await consumer.assign([{ topic: 't', partition: 0, offset: 3n }])
    const reading = take(consumer, 3)
    await new Promise((resolve) => setImmediate(resolve))
    await consumer.assign([{ topic: 't', partition: 1, offset: 0n }])
    expect((await reading).map(({ partition }) => partition)).toEqual([1, 1, 1])
  })
})

describe('positions', () => {
  test('seek, also out of a loop', async () => {
    const log = await withRecords(500)
    const consumer = await assigned(log)
    const seen: number[] = []
    for await (const message of consumer) {
      seen.push(Number(message.value))
      if (seen.length === 2) consumer.seek({ ...place, offset: 400n })
      if (seen.length === 4) consumer.seek({ ...place, offset: 10 })
      if (seen.length === 6) break
    }
    expect(seen).toEqual([0, 1, 400, 401, 10, 11])
  })

  test('seek while the loop waits', async () => {
    const log = await withRecords(5)
    const consumer = await assigned(log, 5n, { maxWaitTimeInMs: 60_000 })
    const reading = take(consumer, 1)
    await new Promise((resolve) => setImmediate(resolve))
    consumer.seek({ ...place, offset: 3n })
    expect(values(await reading)).toEqual([3])
  })

  test('pause and resume keep the place', async () => {
    const log = await withRecords(300, 2)
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe(['t'])
    const seen: ConsumerMessage[] = []
    for await (const message of consumer) {
      seen.push(message)
      if (seen.length === 10) consumer.pause([{ topic: 't', partitions: [message.partition] }])
      if (seen.length === 310) {
        expect(consumer.paused()).toHaveLength(1)
        consumer.resume([{ topic: 't' }])
      }
      if (seen.length === 600) break
    }
    const paused = seen[0].partition
    expect(new Set(seen.slice(10, 310).map(({ partition }) => partition))).toEqual(new Set([1 - paused]))
    expect(values(seen.filter(({ partition }) => partition === paused))).toEqual(range(0, 300))
  })

  test('resume wakes a loop that waits for nothing', async () => {
    const log = await withRecords(3)
    const consumer = await assigned(log)
    consumer.pause([{ topic: 't' }])
    const reading = take(consumer, 3)
    await new Promise((resolve) => setTimeout(resolve, 20))
    consumer.resume([{ topic: 't' }])
    expect(values(await reading)).toEqual([0, 1, 2])
  })

  test.each([
    ['earliest' as const, 0],
    [{ offset: 7n }, 7],
    [{ offset: 7 }, 7],
    [{ timestamp: 1033 }, 33],
  ])('subscribe from %o', async (from, first) => {
    const log = await withRecords(50)
    const consumer = log.consumer()
    await consumer.subscribe(['t'], { from })
    expect(values(await take(consumer, 1))).toEqual([first])
  })

  test.each(['latest' as const, { timestamp: 5000 }])('subscribe from %o means the end', async (from) => {
    const log = await withRecords(50)
    const consumer = log.consumer({ from })
    await consumer.subscribe(['t'])
    expect(consumer.position(place)).toBe(50n)
    await append(log, 50, 51)
    expect(values(await take(consumer, 1))).toEqual([50])
  })

  test('all partitions, those added later too', async () => {
    const log = await withRecords(10, 3)
    const consumer = log.consumer({ from: 'earliest', metadataMaxAge: 1, maxWaitTimeInMs: 20 })
    await consumer.subscribe(['t'])
    expect(new Set((await take(consumer, 30)).map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]))
    await log.admin().createPartitions({ topic: 't', count: 4 })
    await log.producer({ acks: 1 }).send({ topic: 't', messages: [{ value: 'new', partition: 3 }] })
    for await (const message of consumer) {
      if (message.partition !== 3) continue
      expect(String(message.value)).toBe('new')
      break
    }
    expect(consumer.assignment()).toHaveLength(4)
  })

  test('an offset outside the log is an error where it was assigned', async () => {
    const log = await withRecords(5)
    const consumer = await assigned(log, 77n)
    const error = await rejection(take(consumer, 1))
    expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 0, offset: 77n })
    consumer.seek({ ...place, offset: 4n })
    expect(values(await take(consumer, 1))).toEqual([4])
  })

  test('and goes to the start where it was subscribed, or where the options say', async () => {
    const log = await withRecords(5)
    const subscribed = log.consumer()
    await subscribed.subscribe(['t'], { from: { offset: 77n } })
    expect(values(await take(subscribed, 1))).toEqual([0])
    const latest = await assigned(log, 77n, { autoOffsetReset: 'latest' })
    const reading = take(latest, 1)
    while (latest.position(place) !== 5n) await new Promise((resolve) => setImmediate(resolve))
    await append(log, 5, 6)
    expect(values(await reading)).toEqual([5])
  })

  test('deleted records are skipped by a reset', async () => {
    const log = await withRecords(50)
    await log.admin().deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 20n }] })
    const consumer = await assigned(log, 5n, { autoOffsetReset: 'earliest' })
    expect(values(await take(consumer, 1))).toEqual([20])
  })
})

describe('what goes wrong', () => {
  test('unknown topics and partitions', async () => {
    const log = await withRecords(1)
    const consumer = log.consumer({ allowAutoTopicCreation: false })
    expect(await rejection(consumer.assign([{ topic: 'no', partition: 0 }]))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'no',
    })
    expect(await rejection(consumer.assign([{ topic: 't', partition: 7 }]))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      partition: 7,
    })
    expect(() => consumer.seek({ ...place, offset: 0n })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => consumer.position(place)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  test('assign and subscribe do not mix', async () => {
    const log = await withRecords(1)
    const consumer = await assigned(log)
    expect(await rejection(consumer.subscribe(['t']))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test.each([
    [
      [{ topic: 't' }],
      'Option `partition` of consumer.assign() must be an integer from 0 to 2147483647, got undefined',
    ],
    [[{ topic: 't', partition: 0, ofset: 1n }], 'Misspelled option `ofset` should be `offset`'],
    [
      [{ topic: 't', partition: 0, offset: -1n }],
      "Option `offset` of consumer.assign() must be an offset, 'earliest' or 'latest', got -1n",
    ],
    [[place, place], 'consumer.assign() names t-0 twice'],
    ['t', 'consumer.assign() takes an array of { topic, partition, offset }'],
  ])('assign(%o)', async (assignments, message) => {
    const log = await withRecords(1)
    expect(await rejection(log.consumer().assign(assignments as never))).toMatchObject({
      code: expect.stringMatching(/OPTION$/),
      message,
    })
  })

  test('commit needs a group', async () => {
    const log = await withRecords(1)
    expect(await rejection((await assigned(log)).commit())).toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('a batch that inflates beyond the limit', async () => {
    const log = await withRecords(0)
    await log.producer({ acks: 1, compression: 'gzip' }).send({ topic: 't', messages: ['x'.repeat(100_000)] })
    const bounded = await assigned(log, 0n, { maxDecompressedBytes: 50_000 })
    expect(await rejection(take(bounded, 1))).toMatchObject({ code: 'DECOMPRESSED_TOO_LARGE' })
    expect(await take(await assigned(log), 1)).toHaveLength(1)
  })
})
