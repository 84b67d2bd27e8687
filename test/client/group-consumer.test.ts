import { describe, expect, test } from 'vitest'
import type { Consumer, ConsumerMessage, ConsumerOptions, SeglogLog } from '../../ts/index.js'
import { openTarget } from './target.js'

async function withRecords(count: number, partitions = 1) {
  const log = await openTarget()
  await log.admin().createTopic({ topic: 't', partitions })
  await append(log, 0, count, partitions)
  return log
}

async function append(log: SeglogLog, from: number, to: number, partitions = 1) {
  const producer = log.producer({ acks: 1 })
  for (let partition = 0; partition < partitions; partition++) {
    const messages = Array.from({ length: to - from }, (_, n) => ({ value: String(from + n), partition }))
    if (messages.length > 0) await producer.send({ topic: 't', messages })
  }
  await producer.close()
}

async function member(log: SeglogLog, options: ConsumerOptions = {}): Promise<Consumer> {
  const consumer = log.consumer({
    groupId: 'g',
    from: 'earliest',
    sessionTimeout: 6_000,
    heartbeatInterval: 50,
    ...options,
  })
  await consumer.subscribe(['t'])
  return consumer
}

/** The next messages, then the loop is left. */
async function take(consumer: Consumer, count: number): Promise<ConsumerMessage[]> {
  const messages: ConsumerMessage[] = []
  for await (const message of consumer) {
    messages.push(message)
    if (messages.length === count) break
  }
  return messages
}

const values = (messages: readonly ConsumerMessage[]) => messages.map(({ value }) => Number(value))
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const here = [{ topic: 't', partitions: [0] }]

async function committed(consumer: Consumer): Promise<bigint | null> {
  return (await consumer.committed(here))[0].offset
}

describe('commits', () => {
  test('a record is consumed when the next is asked for; a broken loop leaves the one in hand', async () => {
    const log = await withRecords(10)
    const first = await member(log)
    expect(values(await take(first, 4))).toEqual([0, 1, 2, 3])
    await first.close()
    const second = await member(log)
    expect(await committed(second)).toBe(3n)
    expect(values(await take(second, 7))).toEqual(range(3, 10))
  })
})
