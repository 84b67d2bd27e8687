import { describe, expect, onTestFinished, test } from 'vitest'
import { open, type ProducerOptions } from '../../ts/index.js'
import { apiKey, type RequestOf } from '../../ts/protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { RecordBatch } from '../../ts/records/record-batch.js'
import { rejection } from '../client/rejection.js'
import { FakeCluster, type Seen } from './fake-broker.js'
import { quickRetry } from './open-transport.js'

/** What a batch of a Produce request says. */
function batchesOf({ request }: Seen<0>) {
  return request.topicData.flatMap((topic) =>
    topic.partitionData.map(({ index, records }) => {
      const batch = new RecordBatch(Buffer.from(records as Uint8Array))
      const { producerId, producerEpoch, baseSequence } = batch.header
      return {
        partition: index,
        values: [...batch].map(({ value }) => String(value)),
        producerId,
        producerEpoch,
        baseSequence,
      }
    }),
  )
}

/** Answers each partition with an error name, or with NONE. */
function answered(request: RequestOf<0>, error: (partition: number) => ProtocolErrorName, baseOffset = 0n) {
  return {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => {
        const errorCode = protocolErrors[error(index)].code
        const offsets = { baseOffset: errorCode === 0 ? baseOffset : -1n, logAppendTimeMs: -1n, logStartOffset: 0n }
        return { index, errorCode, ...offsets, recordErrors: [], errorMessage: null }
      }),
    })),
  }
}

const fine = ({ request }: Seen<0>) => answered(request, () => 'NONE')

/** A producer on a topic whose partitions these brokers lead; Produce is answered by the test. */
async function producerOn(leaders: number[], options: ProducerOptions = {}) {
  const fake = await FakeCluster.open(Math.max(...leaders))
  fake.addTopic('t', ...leaders)
  const log = await open(fake.target, { retry: quickRetry })
  onTestFinished(async () => {
    for (const broker of fake.brokers) broker.handlers[apiKey.produce] ??= fine
    await log.close()
  })
  const producer = log.producer(options)
  const send = (value: string, partition = 0) => producer.send({ topic: 't', messages: [{ value, partition }] })
  /** Sends one record, so that the producer knows the topic and has its id; what the brokers saw of it is forgotten. */
  const warm = async () => {
    for (const broker of fake.brokers) broker.handlers[apiKey.produce] = fine
    await Promise.all(leaders.map((_, partition) => send('warm', partition)))
    for (const broker of fake.brokers) {
      broker.handlers[apiKey.produce] = undefined
      broker.seen.length = 0
    }
  }
  return { fake, broker: fake.brokers[0]!, log, producer, send, warm }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('requests', () => {
  test('partitions of one leader share them, those of another go there', async () => {
    const { fake, send } = await producerOn([1, 1, 2])
    for (const broker of fake.brokers) broker.handlers[apiKey.produce] = fine
    await Promise.all([send('a', 0), send('b', 1), send('c', 2)])
    const seen = fake.brokers.map((broker) =>
      broker.of(apiKey.produce).map((one) => batchesOf(one).map(({ values }) => values[0])),
    )
    expect(seen).toEqual([[['a', 'b']], [['c']]])
  })

  test('five batches of a partition at most are under way', async () => {
    const { broker, send, warm } = await producerOn([1])
    await warm()
    const sends = []
    for (let n = 0; n < 8; n++) {
      sends.push(send(`${n}`))
      await turn()
    }
    await broker.received(apiKey.produce, 5)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const seen = broker.of(apiKey.produce)
    expect(seen).toHaveLength(5)
    broker.handlers[apiKey.produce] = fine
    for (const one of seen) one.answer(answered(one.request, () => 'NONE'))
    await Promise.all(sends)
    const values = broker.of(apiKey.produce).flatMap((one) => batchesOf(one).flatMap(({ values }) => values))
    expect(values).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  })

  test('the first batch of a session is stored before a second is sent', async () => {
    const { broker, producer } = await producerOn([1], { batchSize: 128 })
    const messages = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100))
    const sent = producer.send({ topic: 't', messages })
    const [first] = await broker.received(apiKey.produce, 1)
    // It is asked for again, since the broker is no leader yet; one that knows no number takes any for the first.
    first!.answer(answered(first!.request, () => 'NOT_LEADER_OR_FOLLOWER'))
    const [, again] = await broker.received(apiKey.produce, 2)
    const letters = () => {
      const values = broker.of(apiKey.produce).flatMap((one) => batchesOf(one).flatMap(({ values }) => values))
      return values.map((value) => value.slice(0, 1)).join('')
    }
    expect(letters()).toBe('aa')
    broker.handlers[apiKey.produce] = fine
    again!.answer(answered(again!.request, () => 'NONE'))
    await sent
    expect(letters()).toBe('aabcd')
  })

  test('acks 0 is resolved when it is written', async () => {
    const { broker, producer } = await producerOn([1])
    const [result] = await producer.send({ topic: 't', messages: ['a'], acks: 0 })
    expect(result).toMatchObject({ baseOffset: -1n, count: 1 })
    const [seen] = await broker.received(apiKey.produce)
    expect(batchesOf(seen!)).toMatchObject([{ values: ['a'], producerId: -1 }])
  })

  test('batches carry their checksum', async () => {
    const { broker, send } = await producerOn([1], { compression: 'gzip' })
    broker.handlers[apiKey.produce] = fine
    await send('a')
    const { request } = broker.of(apiKey.produce)[0]!
    const batch = new RecordBatch(Buffer.from(request.topicData[0]!.partitionData[0]!.records as Uint8Array))
    const { openEngine } = await import('../../ts/native/open-engine.js')
    expect(batch.crcMatches((bytes) => openEngine().crc32c(bytes))).toBe(true)
  })
})

describe('what is sent again', () => {
  test('after a lost connection, under the same number', async () => {
    const { broker, send } = await producerOn([1])
    let count = 0
    broker.handlers[apiKey.produce] = (seen) => (++count === 1 ? (seen.cut() as undefined) : fine(seen))
    await send('a')
    const batches = broker.of(apiKey.produce).flatMap(batchesOf)
    expect(batches).toHaveLength(2)
    expect(batches[1]).toEqual(batches[0])
    expect(batches[0]).toMatchObject({ producerId: 7, producerEpoch: 0, baseSequence: 0 })
  })

  test('to the new leader', async () => {
    const { fake, send } = await producerOn([1, 2])
    fake.node(1).handlers[apiKey.produce] = ({ request }) => {
      fake.move('t', 0, 2)
      return answered(request, () => 'NOT_LEADER_OR_FOLLOWER')
    }
    fake.node(2).handlers[apiKey.produce] = fine
    await send('a')
    expect(fake.node(2).of(apiKey.produce).flatMap(batchesOf)).toMatchObject([{ values: ['a'], baseSequence: 0 }])
  })

  test('a batch that was stored already counts as stored', async () => {
    const { broker, send } = await producerOn([1])
    broker.handlers[apiKey.produce] = ({ request }) => answered(request, () => 'DUPLICATE_SEQUENCE_NUMBER')
    expect(await send('a')).toMatchObject([{ partition: 0, count: 1 }])
  })

  test('batches behind a refused one keep their places and numbers', async () => {
    const { broker, send, warm } = await producerOn([1])
    await warm()
    const sends = []
    for (const value of ['a', 'b', 'c']) {
      sends.push(send(value))
      await turn()
    }
    const seen = await broker.received(apiKey.produce, 3)
    broker.handlers[apiKey.produce] = fine
    seen[0]!.answer(answered(seen[0]!.request, () => 'NOT_ENOUGH_REPLICAS'))
    seen[1]!.answer(answered(seen[1]!.request, () => 'OUT_OF_ORDER_SEQUENCE_NUMBER'))
    seen[2]!.answer(answered(seen[2]!.request, () => 'OUT_OF_ORDER_SEQUENCE_NUMBER'))
    await Promise.all(sends)
    const again = broker.of(apiKey.produce).slice(3).flatMap(batchesOf)
    expect(again.map(({ values, baseSequence, producerEpoch }) => [values[0], baseSequence, producerEpoch])).toEqual([
      ['a', 1, 0],
      ['b', 2, 0],
      ['c', 3, 0],
    ])
  })

  test('when the broker has lost the numbers, under a new epoch from 0', async () => {
    const { broker, send } = await producerOn([1])
    broker.handlers[apiKey.produce] = fine
    await send('a')
    let count = 0
    broker.handlers[apiKey.produce] = ({ request }) =>
      answered(request, () => (++count === 1 ? 'OUT_OF_ORDER_SEQUENCE_NUMBER' : 'NONE'))
    await send('b')
    await send('c')
    const batches = broker.of(apiKey.produce).flatMap(batchesOf)
    expect(batches.map(({ values, producerEpoch, baseSequence }) => [values[0], producerEpoch, baseSequence])).toEqual([
      ['a', 0, 0],
      ['b', 0, 1],
      ['b', 1, 0],
      ['c', 1, 1],
    ])
    expect(broker.of(apiKey.initProducerId)).toHaveLength(1)
  })

  test('after a batch that failed for good the others get numbers without a gap', async () => {
    const { broker, send, warm } = await producerOn([1])
    await warm()
    // Of one turn: they share a batch. The next is by itself.
    const sends = ['bad', 'b'].map((value) => send(value).catch((error) => error.code))
    await turn()
    const third = send('c')
    const seen = await broker.received(apiKey.produce, 2)
    broker.handlers[apiKey.produce] = fine
    seen[0]!.answer(answered(seen[0]!.request, () => 'INVALID_RECORD'))
    seen[1]!.answer(answered(seen[1]!.request, () => 'OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(await Promise.all(sends)).toEqual(['INVALID_RECORD', 'INVALID_RECORD'])
    await third
    expect(broker.of(apiKey.produce).flatMap(batchesOf).at(-1)).toMatchObject({
      values: ['c'],
      producerEpoch: 1,
      baseSequence: 0,
    })
  })

  test('halves of a batch that is too large keep its place and numbers', async () => {
    const { broker, producer, send, warm } = await producerOn([1], { compression: 'gzip' })
    await warm()
    const messages = ['a', 'b', 'c', 'd'].map((value) => ({ value, partition: 0 }))
    const whole = producer.send({ topic: 't', messages })
    await turn()
    const after = send('e')
    const seen = await broker.received(apiKey.produce, 2)
    broker.handlers[apiKey.produce] = fine
    seen[0]!.answer(answered(seen[0]!.request, () => 'MESSAGE_TOO_LARGE'))
    seen[1]!.answer(answered(seen[1]!.request, () => 'OUT_OF_ORDER_SEQUENCE_NUMBER'))
    await Promise.all([whole, after])
    const inflated = broker
      .of(apiKey.produce)
      .slice(2)
      .map(({ request }) => {
        const batch = new RecordBatch(
          Buffer.from(request.topicData[0]!.partitionData[0]!.records as Uint8Array),
        ).inflateNow()
        return [batch.header.baseSequence, ...[...batch].map(({ value }) => String(value))]
      })
    expect(inflated).toEqual([
      [1, 'a', 'b'],
      [3, 'c', 'd'],
      [5, 'e'],
    ])
  })
})

describe('what is given up', () => {
  test('what no repetition would mend', async () => {
    const { broker, send } = await producerOn([1])
    broker.handlers[apiKey.produce] = ({ request }) => answered(request, () => 'TOPIC_AUTHORIZATION_FAILED')
    expect(await rejection(send('a'))).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED', topic: 't', partition: 0 })
    expect(broker.of(apiKey.produce)).toHaveLength(1)
  })

  test('as often as `retries` says', async () => {
    const { broker, send } = await producerOn([1], { retries: 2 })
    broker.handlers[apiKey.produce] = ({ request }) => answered(request, () => 'NOT_ENOUGH_REPLICAS')
    expect(await rejection(send('a'))).toMatchObject({ code: 'NOT_ENOUGH_REPLICAS', retriable: true })
    expect(broker.of(apiKey.produce)).toHaveLength(3)
  })

  test('after `deliveryTimeout`, with what failed last', async () => {
    const { broker, log } = await producerOn([1])
    broker.handlers[apiKey.produce] = fine
    await log.producer({ idempotent: false }).send({ topic: 't', messages: ['known'] })
    await broker.stop()
    const brief = log.producer({ idempotent: false, deliveryTimeout: 1_000 })
    const error = await rejection(brief.send({ topic: 't', messages: ['a'] }))
    expect(error).toMatchObject({ retriable: true, topic: 't', partition: 0 })
    expect(`${error.code} ${error.message}`).toMatch(
      /^(TIMED_OUT|BROKER_NOT_AVAILABLE|NETWORK_EXCEPTION) .*127\.0\.0\.1/,
    )
  })

  test('a topic that is gone', async () => {
    const { fake, broker, send } = await producerOn([1], { deliveryTimeout: 1_000 })
    broker.handlers[apiKey.produce] = ({ request }) => {
      fake.topics.delete('t')
      return answered(request, () => 'UNKNOWN_TOPIC_OR_PARTITION')
    }
    expect(await rejection(send('a'))).toMatchObject({ topic: 't', retriable: true })
  })
})

describe('numbers', () => {
  test('are the default, and can be switched off', async () => {
    const { fake, log } = await producerOn([1])
    fake.node(1).handlers[apiKey.produce] = fine
    for (const options of [{}, { idempotent: false }, { acks: 1 as const }]) {
      await log.producer(options).send({ topic: 't', messages: ['a'] })
    }
    const ids = fake
      .node(1)
      .of(apiKey.produce)
      .flatMap(batchesOf)
      .map(({ producerId }) => producerId)
    expect(ids).toEqual([7, -1, -1])
  })

  test('a broker without producer ids serves all the same, unless they were asked for', async () => {
    const fake = await FakeCluster.open()
    fake.addTopic('t', 1)
    const [broker] = fake.brokers
    broker!.newest[apiKey.initProducerId] = -1
    broker!.handlers[apiKey.produce] = fine
    const log = await open(fake.target, { retry: quickRetry })
    onTestFinished(() => log.close())
    await log.producer().send({ topic: 't', messages: ['a'] })
    expect(broker!.of(apiKey.produce).flatMap(batchesOf)).toMatchObject([{ producerId: -1 }])
    const strict = log.producer({ idempotent: true })
    const error = await rejection(strict.send({ topic: 't', messages: ['a'] }))
    expect(error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('InitProducerId') })
  })
})
