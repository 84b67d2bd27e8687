import { describe, expect, test } from 'vitest'
import { partitionForKey } from '../../ts/client/partitioners.js'
import type { RecordMetadata } from '../../ts/index.js'
import { readAll } from './read-all.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

async function withTopic(partitions: number, config = {}) {
  const log = await openTarget()
  await log.admin().createTopic({ topic: 't', partitions, config })
  return log
}

describe('send', () => {
  test('gives a result per partition, which together cover all records', async () => {
    const log = await withTopic(4)
    const messages = Array.from({ length: 1000 }, (_, n) => ({ key: `key ${n}`, value: `${n}` }))
    const results = await log.producer({ acks: 1 }).send({ topic: 't', messages })
    expect(results.map(({ partition }) => partition).sort()).toEqual([0, 1, 2, 3])
    expect(results.reduce((sum, { count }) => sum + count, 0)).toBe(1000)
    expect(results.every(({ baseOffset }) => baseOffset === 0n)).toBe(true)
  })

  test('keys go where Kafka puts them, in order', async () => {
    const log = await withTopic(4)
    const keys = ['a', 'bé', Buffer.from([0xff, 0x00]), 'a', 'bé']
    await log.producer().send({ topic: 't', messages: keys.map((key, n) => ({ key, value: String(n) })) })
    const read = await readAll(log, 't')
    expect(read).toHaveLength(5)
    for (const { key, partition } of read) expect(partition).toBe(partitionForKey(key!, 4))
    const ofA = read.filter(({ key }) => String(key) === 'a').map(({ value }) => String(value))
    expect(ofA).toEqual(['0', '3'])
  })

  test('records without a key stay together', async () => {
    const log = await withTopic(8)
    const [result, ...others] = await log.producer({ acks: 1 }).send({ topic: 't', messages: ['a', 'b', 'c'] })
    expect(others).toEqual([])
    expect(result.count).toBe(3)
  })

  test('records without a key reach every partition when batches fill', async () => {
    const log = await withTopic(3)
    const producer = log.producer({ acks: 1, batchSize: 1024 })
    const results = await producer.send({ topic: 't', messages: Array.from({ length: 2000 }, () => 'x'.repeat(50)) })
    expect(results).toHaveLength(3)
  })

  test('a partition can be named, by message or by function', async () => {
    const log = await withTopic(3)
    const [named] = await log.producer({ acks: 1 }).send({ topic: 't', messages: [{ value: 'v', partition: 2 }] })
    expect(named.partition).toBe(2)
    const byFunction = log.producer({ acks: 1, partitioner: ({ partitionCount }) => partitionCount - 2 })
    const [chosen] = await byFunction.send({ topic: 't', messages: [{ key: 'k', value: 'v' }] })
    expect(chosen.partition).toBe(1)
  })

  test('many sends that are not awaited keep their order', async () => {
    const log = await withTopic(1)
    const producer = log.producer({ acks: 1, batchSize: 2048 })
    const sends: Promise<RecordMetadata[]>[] = []
    for (let n = 0; n < 5000; n++) sends.push(producer.send({ topic: 't', messages: [String(n)] }))
    const offsets = (await Promise.all(sends)).map(([{ baseOffset }]) => baseOffset)
    expect(offsets).toEqual(Array.from({ length: 5000 }, (_, n) => BigInt(n)))
    const read = await readAll(log, 't')
    expect(read.map(({ value }) => String(value))).toEqual(Array.from({ length: 5000 }, (_, n) => String(n)))
  })

  test('acks 0 resolves without an offset, and the record is there after flush and close', async () => {
    const log = await withTopic(1)
    const producer = log.producer({ acks: 0 })
    const [result] = await producer.send({ topic: 't', messages: ['a', 'b'] })
    expect(result).toMatchObject({ partition: 0, baseOffset: -1n, count: 2 })
    await producer.close()
    // Over a network nobody tells when the broker has stored what it does not answer.
    await expect.poll(() => readAll(log, 't')).toHaveLength(2)
  })

  test('acks of a send overrides the producer', async () => {
    const log = await withTopic(1)
    const [result] = await log.producer().send({ topic: 't', messages: ['a'], acks: 0 })
    expect(result.baseOffset).toBe(-1n)
  })

  test('no messages, no results', async () => {
    const log = await withTopic(1)
    expect(await log.producer().send({ topic: 't', messages: [] })).toEqual([])
  })

  test('an unknown topic is created, unless that is not wanted', async () => {
    const log = await openTarget()
    await log.producer({ acks: 1 }).send({ topic: 'new', messages: ['a'] })
    expect(await log.admin().listTopics()).toEqual(['new'])
    const strict = log.producer({ allowAutoTopicCreation: false })
    expect(await rejection(strict.send({ topic: 'other', messages: ['a'] }))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'other',
    })
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s goes in and out', async (compression) => {
    const log = await withTopic(1)
    const producer = log.producer({ acks: 1, compression, batchSize: 4096 })
    const values = Array.from({ length: 2000 }, (_, n) => `value ${n}`)
    const half = values.length / 2
    const sends = [values.slice(0, half), values.slice(half)].map((messages) => producer.send({ topic: 't', messages }))
    const results = await Promise.all(sends)
    expect(results.map(([{ baseOffset, count }]) => [baseOffset, count])).toEqual([
      [0n, 1000],
      [1000n, 1000],
    ])
    expect((await readAll(log, 't')).map(({ value }) => String(value))).toEqual(values)
  })

  test('a topic that is deleted and created again takes records again', async () => {
    const log = await withTopic(2)
    const producer = log.producer({ acks: 1 })
    await producer.send({ topic: 't', messages: [{ value: 'a', partition: 1 }] })
    await log.admin().deleteTopic({ topic: 't' })
    await log.admin().createTopic({ topic: 't', partitions: 1 })
    const [result] = await producer.send({ topic: 't', messages: ['b'] })
    expect(result).toMatchObject({ partition: 0, baseOffset: 0n })
    expect(await rejection(producer.send({ topic: 't', messages: [{ value: 'c', partition: 1 }] }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  test('added partitions are used', async () => {
    const log = await withTopic(1)
    const producer = log.producer({ acks: 1 })
    await producer.send({ topic: 't', messages: ['a'] })
    await log.admin().createPartitions({ topic: 't', count: 3 })
    const [result] = await producer.send({ topic: 't', messages: [{ value: 'b', partition: 2 }] })
    expect(result).toMatchObject({ partition: 2, baseOffset: 0n })
  })
})

describe('what goes wrong', () => {
  test('a record above max.message.bytes fails alone', async () => {
    const log = await withTopic(1, { 'max.message.bytes': 1000 })
    const producer = log.producer({ acks: 1 })
    const small = producer.send({ topic: 't', messages: ['a', 'b', 'c'] })
    const large = rejection(producer.send({ topic: 't', messages: ['x'.repeat(2000)] }))
    const after = producer.send({ topic: 't', messages: ['d'] })
    expect((await small)[0]).toMatchObject({ baseOffset: 0n, count: 3 })
    expect(await large).toMatchObject({ code: 'MESSAGE_TOO_LARGE', retriable: false, topic: 't', partition: 0 })
    expect((await after)[0]).toMatchObject({ baseOffset: 3n, count: 1 })
    expect((await readAll(log, 't')).map(({ value }) => String(value))).toEqual(['a', 'b', 'c', 'd'])
  })

  test('small records that are too large together are stored all the same', async () => {
    const log = await withTopic(1, { 'max.message.bytes': 1000 })
    const messages = Array.from({ length: 300 }, (_, n) => ({
      key: `k${n}`,
      value: 'v'.repeat(40),
      headers: { h: `${n}` },
    }))
    const [result] = await log.producer({ acks: 1 }).send({ topic: 't', messages })
    expect(result).toMatchObject({ baseOffset: 0n, count: 300 })
    const read = await readAll(log, 't')
    expect(read.map(({ key }) => String(key))).toEqual(messages.map(({ key }) => key))
    expect(read.map(({ headers }) => String(headers.h))).toEqual(messages.map(({ headers }) => headers.h))
  })

  test('the error tells what became of each partition', async () => {
    const log = await withTopic(2, { 'max.message.bytes': 1000 })
    const messages = [
      { value: 'fine', partition: 0 },
      { value: 'x'.repeat(2000), partition: 1 },
      { value: 'fine too', partition: 0 },
    ]
    const error = await rejection(log.producer({ acks: 1 }).send({ topic: 't', messages }))
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', partition: 1 })
    expect(error.results).toEqual([
      expect.objectContaining({ topic: 't', partition: 0, baseOffset: 0n, count: 2 }),
      expect.objectContaining({
        partition: 1,
        baseOffset: -1n,
        count: 1,
        error: expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
      }),
    ])
  })

  test.each([
    [{ value: 5 }],
    [{ value: undefined }],
    [{ key: {}, value: 'v' }],
    [{ value: 'v', timestamp: 1.5 }],
    [{ value: 'v', partition: 9 }],
    [{ value: 'v', partition: '0' }],
    [null],
  ])('message %j is refused, and the producer goes on', async (message) => {
    const log = await withTopic(1)
    const producer = log.producer({ acks: 1 })
    expect(await rejection(producer.send({ topic: 't', messages: [message as never] }))).toMatchObject({
      name: 'SeglogError',
      code: 'INVALID_ARGUMENT',
    })
    const [result] = await producer.send({ topic: 't', messages: ['good'] })
    expect(result).toMatchObject({ baseOffset: 0n })
  })

  test.each([
    [undefined, 'The options of producer.send() must be an object, got null'],
    [{ topic: 't', message: [] }, 'Misspelled option `message` should be `messages`'],
    [{ messages: [] }, 'Option `topic` of producer.send() must be a topic name, got undefined'],
    [{ topic: 't', messages: 'a' }, 'Option `messages` of producer.send() must be an array of messages, got "a"'],
    [{ topic: 't', messages: [], acks: 3 }, 'Option `acks` of producer.send() must be one of 0, 1, -1, "all", got 3'],
  ])('send(%j)', async (record, message) => {
    const log = await openTarget()
    expect(await rejection(log.producer().send(record as never))).toMatchObject({ message })
  })

  test.each(['', 'x'.repeat(300), '.', '..', 'a/b'])('topic name %j', async (topic) => {
    const log = await openTarget()
    const error = await rejection(log.producer().send({ topic, messages: ['a'] }))
    expect(error.code).toBe(topic === '' ? 'INVALID_OPTION' : 'INVALID_TOPIC_EXCEPTION')
  })

  test('after close', async () => {
    const log = await withTopic(1)
    const producer = log.producer()
    const last = producer.send({ topic: 't', messages: ['a'] })
    await Promise.all([producer.close(), producer.close()])
    expect((await last)[0].baseOffset).toBe(0n)
    expect(await rejection(producer.send({ topic: 't', messages: ['b'] }))).toMatchObject({ code: 'CLOSED' })
  })

  test('closing the log lets sends finish', async () => {
    const log = await withTopic(1)
    const producer = log.producer({ linger: 60_000 })
    const send = producer.send({ topic: 't', messages: ['a'] })
    await log.close()
    expect((await send)[0].baseOffset).toBe(0n)
    expect(await rejection(producer.send({ topic: 't', messages: ['b'] }))).toMatchObject({ code: 'CLOSED' })
    expect(() => log.producer()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })
})

describe('sendBatch', () => {
  test('several topics at once', async () => {
    const log = await openTarget()
    const results = await log.producer({ acks: 1 }).sendBatch({
      topicMessages: [
        { topic: 'a', messages: ['1', '2'] },
        { topic: 'b', messages: ['3'] },
      ],
    })
    expect(results.map(({ topic, count }) => [topic, count])).toEqual([
      ['a', 2],
      ['b', 1],
    ])
  })

  test('one bad topic fails the call, and the results tell which', async () => {
    const log = await openTarget()
    const error = await rejection(
      log.producer({ acks: 1 }).sendBatch({
        topicMessages: [
          { topic: 'a', messages: ['1'] },
          { topic: '..', messages: ['2'] },
        ],
      }),
    )
    expect(error.code).toBe('INVALID_TOPIC_EXCEPTION')
    expect(error.results).toEqual([expect.objectContaining({ topic: 'a', baseOffset: 0n })])
  })
})
