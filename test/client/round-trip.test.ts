import { describe, expect, test } from 'vitest'
import { openTarget } from './target.js'

describe('send and read', () => {
  test('records come back as they were sent', async () => {
    const log = await openTarget()
    await log.admin().createTopic({ topic: 'orders', partitions: 1 })
    const producer = log.producer({ acks: 1 })
    const [written] = await producer.send({
      topic: 'orders',
      messages: [
        { key: 'k', value: 'v', headers: { source: 'web' }, timestamp: 1_700_000_000_000 },
        { value: null },
        'bare',
        Buffer.from([1, 2]),
      ],
    })
    expect(written).toEqual({ topic: 'orders', partition: 0, baseOffset: 0n, count: 4, timestamp: 1_700_000_000_000 })
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe(['orders'])
    const read = []
    for await (const message of consumer) {
      read.push(message)
      if (read.length === 4) break
    }
    expect(read.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n])
    expect(read[0].toJSON()).toEqual({
      topic: 'orders',
      partition: 0,
      offset: '0',
      timestamp: 1_700_000_000_000,
      key: 'k',
      value: 'v',
      headers: { source: 'web' },
    })
    expect(read.slice(1).map(({ key, value }) => [key, value?.toString()])).toEqual([
      [null, undefined],
      [null, 'bare'],
      [null, '\x01\x02'],
    ])
  })
})
