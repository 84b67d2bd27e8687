import { describe, expect, onTestFinished, test } from 'vitest'
import { type ConsumerMessage, type ConsumerOptions, open } from '../../ts/index.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { apiKey, type ResponseOf } from '../../ts/protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { RecordBatchBuilder } from '../../ts/records/record-batch-builder.js'
import { rejection } from '../client/rejection.js'
import { FakeCluster, type Seen } from './fake-broker.js'
import { quickRetry } from './open-transport.js'

type Part = ResponseOf<1>['responses'][number]['partitions'][number]

/** A batch as a broker stores it. */
function batchAt(baseOffset: number, values: readonly string[], { epoch = 0, isControl = false } = {}): Buffer {
  const builder = new RecordBatchBuilder({ maxBytes: 1 << 20 })
  for (const value of values) builder.append({ value })
  const batch = Buffer.from(builder.finish({ isControl, crc32c: (bytes) => openEngine().crc32c(bytes) }))
  batch.writeBigInt64BE(BigInt(baseOffset), 0)
  batch.writeInt32BE(epoch, 12)
  return batch
}

interface PartOf {
  error?: ProtocolErrorName
  records?: Buffer
  diverging?: { epoch: number; endOffset: bigint }
  leader?: { leaderId: number; leaderEpoch: number }
}

/** Answers every partition that is asked for. */
function answered(
  { request }: Seen<1>,
  of: (partition: number, offset: number, asked: Seen<1>['request']['topics'][number]['partitions'][number]) => PartOf,
): Partial<ResponseOf<1>> {
  return {
    responses: request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map((asked): Part => {
        const { error = 'NONE', records, diverging, leader } = of(asked.partition, Number(asked.fetchOffset), asked)
        return {
          partitionIndex: asked.partition,
          errorCode: protocolErrors[error].code,
          highWatermark: 100n,
          lastStableOffset: 100n,
          logStartOffset: 0n,
          abortedTransactions: null,
          preferredReadReplica: -1,
          records: records ?? Buffer.alloc(0),
          ...(diverging && { divergingEpoch: diverging }),
          ...(leader && { currentLeader: leader }),
        }
      }),
    })),
  }
}

/** A consumer of some partitions from offset 0, which these brokers lead. */
async function consumerOf(leaders: number[], options: ConsumerOptions = {}) {
  const fake = await FakeCluster.open(Math.max(...leaders))
  fake.addTopic('t', ...leaders)
  const log = await open(fake.target, { retry: quickRetry })
  onTestFinished(() => log.close())
  const consumer = log.consumer({ maxWaitTimeInMs: 100, ...options })
  await consumer.assign(leaders.map((_, partition) => ({ topic: 't', partition, offset: 0n })))
  const take = async (count: number) => {
    const messages: ConsumerMessage[] = []
    for await (const message of consumer) {
      messages.push(message)
      if (messages.length === count) break
    }
    return messages.map(({ partition, offset, value }) => `${partition}-${offset} ${value}`)
  }
  return { fake, broker: fake.brokers[0]!, consumer, take }
}

/** Answers with one record at each offset, forever. */
const endless = (seen: Seen<1>) => answered(seen, (_, offset) => ({ records: batchAt(offset, [`at ${offset}`]) }))

describe('brokers', () => {
  test('each is asked for its own partitions, and one that has nothing keeps nobody waiting', async () => {
    const { fake, take } = await consumerOf([1, 2], { maxWaitTimeInMs: 60_000 })
    fake.node(2).handlers[apiKey.fetch] = endless
    expect(await take(3)).toEqual(['1-0 at 0', '1-1 at 1', '1-2 at 2'])
    const waiting = fake.node(1).of(apiKey.fetch)
    expect(waiting.filter(({ request }) => request.maxWaitMs > 0)).toHaveLength(1)
    expect(waiting[0]!.request.topics[0]!.partitions.map(({ partition }) => partition)).toEqual([0])
  })

  test("are told the leader's epoch, and a reader that is behind learns the new one", async () => {
    const { fake, broker, take } = await consumerOf([1])
    broker.handlers[apiKey.fetch] = (seen) => {
      const { partitions } = fake.topics.get('t')!
      partitions[0]!.leaderEpoch = 1
      return answered(seen, (_, offset, { currentLeaderEpoch }) =>
        currentLeaderEpoch === 1 ? { records: batchAt(offset, ['v']) } : { error: 'FENCED_LEADER_EPOCH' },
      )
    }
    expect(await take(1)).toEqual(['0-0 v'])
    const epochs = broker.of(apiKey.fetch).map(({ request }) => request.topics[0]!.partitions[0]!.currentLeaderEpoch)
    expect(epochs.slice(0, 2)).toEqual([0, 1])
  })

  test('the new leader is taken from the answer of the old one', async () => {
    const { fake, take } = await consumerOf([1, 2])
    fake.node(2).handlers[apiKey.fetch] = endless
    fake.node(1).handlers[apiKey.fetch] = (seen) => {
      return answered(seen, () => ({ error: 'NOT_LEADER_OR_FOLLOWER', leader: { leaderId: 2, leaderEpoch: 1 } }))
    }
    // Metadata would still say 1.
    const lookUps = fake.brokers.flatMap((broker) => broker.of(apiKey.metadata)).length
    const seen = new Set<string>()
    while (seen.size < 2) for (const one of await take(4)) seen.add(one.split('-')[0]!)
    expect(fake.brokers.flatMap((broker) => broker.of(apiKey.metadata))).toHaveLength(lookUps)
  })

  test.each([
    'NOT_LEADER_OR_FOLLOWER',
    'LEADER_NOT_AVAILABLE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_LEADER_EPOCH',
    'KAFKA_STORAGE_ERROR',
    'OFFSET_NOT_AVAILABLE',
  ] as const)('%s passes', async (error) => {
    const { broker, take } = await consumerOf([1])
    let answers = 0
    broker.handlers[apiKey.fetch] = (seen) => (++answers < 4 ? answered(seen, () => ({ error })) : endless(seen))
    expect(await take(1)).toEqual(['0-0 at 0'])
  })

  test('so does a lost connection', async () => {
    const { broker, take } = await consumerOf([1])
    let answers = 0
    broker.handlers[apiKey.fetch] = (seen) => (++answers < 3 ? (seen.cut() as undefined) : endless(seen))
    expect(await take(1)).toEqual(['0-0 at 0'])
  })

  test('what does not pass is thrown', async () => {
    const { broker, take } = await consumerOf([1])
    broker.handlers[apiKey.fetch] = (seen) => answered(seen, () => ({ error: 'TOPIC_AUTHORIZATION_FAILED' }))
    expect(await rejection(take(1))).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED', topic: 't', partition: 0 })
  })
})

describe('records', () => {
  test('before the asked offset, in control batches and cut off at the end are none', async () => {
    const { broker, consumer, take } = await consumerOf([1])
    consumer.seek({ topic: 't', partition: 0, offset: 2n })
    const whole = [batchAt(0, ['a', 'b', 'c']), batchAt(3, ['marker'], { isControl: true }), batchAt(4, ['d'])]
    broker.handlers[apiKey.fetch] = (seen) =>
      answered(seen, (_, offset) => {
        if (offset > 4) return { records: batchAt(offset, [`at ${offset}`]) }
        return { records: Buffer.concat([...whole, batchAt(5, ['cut off']).subarray(0, 70)]) }
      })
    expect(await take(3)).toEqual(['0-2 c', '0-4 d', '0-5 at 5'])
  })

  test('a batch that never fits is named', async () => {
    const { broker, take } = await consumerOf([1])
    const batch = batchAt(0, ['x'.repeat(1000)])
    broker.handlers[apiKey.fetch] = (seen) => answered(seen, () => ({ records: batch.subarray(0, 500) }))
    const error = await rejection(take(1))
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', topic: 't', partition: 0, offset: 0n })
    expect(error.message).toContain(
      `of ${batch.length} bytes at offset 0 of t-0 does not fit: raise maxBytesPerPartition`,
    )
  })
})

describe('lost records', () => {
  /** Ten records of epoch 3, then a log that has only four of them. */
  async function truncated(options: ConsumerOptions) {
    const setup = await consumerOf([1], options)
    const ten = Array.from({ length: 10 }, (_, n) => `old ${n}`)
    setup.broker.handlers[apiKey.fetch] = (seen) =>
      answered(seen, (_, offset, { lastFetchedEpoch }) => {
        if (offset === 0 && lastFetchedEpoch < 0) return { records: batchAt(0, ten, { epoch: 3 }) }
        if (lastFetchedEpoch === 3) return { diverging: { epoch: 3, endOffset: 4n } }
        return { records: batchAt(offset, [`new ${offset}`], { epoch: 4 }) }
      })
    return setup
  }

  test('are an error, which says where the log parts', async () => {
    const { consumer, take } = await truncated({ autoOffsetReset: 'error' })
    const error = await rejection(take(11))
    expect(error).toMatchObject({ code: 'LOG_TRUNCATED', topic: 't', partition: 0, offset: 4n })
    consumer.seek({ topic: 't', partition: 0, offset: 4n })
    expect(await take(1)).toEqual(['0-4 new 4'])
  })

  test('or the end of what is left, where positions may be reset', async () => {
    const { take } = await truncated({ autoOffsetReset: 'earliest' })
    expect((await take(11)).at(-1)).toBe('0-4 new 4')
  })
})

test('a seek while a broker keeps a fetch waiting', async () => {
  const { broker, consumer, take } = await consumerOf([1], { maxWaitTimeInMs: 60_000 })
  broker.handlers[apiKey.fetch] = (seen) => {
    const { fetchOffset } = seen.request.topics[0]!.partitions[0]!
    return fetchOffset === 0n ? undefined : endless(seen)
  }
  const reading = take(1)
  await broker.received(apiKey.fetch)
  consumer.seek({ topic: 't', partition: 0, offset: 7n })
  expect(await reading).toEqual(['0-7 at 7'])
})
