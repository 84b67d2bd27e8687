import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WaitingFetches, type Watched } from '../../ts/broker/waiting-fetches.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { batchOf, TestBroker, valuesOf } from './harness.js'

/** A wait that no test sees the end of by itself. */
const forEver = 3_600_000

describe('a fetch that finds too little', () => {
  async function openWithTopic() {
    const test = await TestBroker.open('memory:')
    await test.createTopic('t', 2)
    for (const partition of [0, 1]) await test.produce('t', batchOf(['first']), { partition })
    return test
  }

  it('is woken by the append', async () => {
    const test = await openWithTopic()
    const waiting = test.fetch('t', 1, { maxWaitMs: forEver })
    await test.produce('t', batchOf(['second']))
    expect(valuesOf((await waiting).records)).toEqual(['second'])
  })

  it('is not woken by another partition, but by its own later', async () => {
    const test = await openWithTopic()
    const order: string[] = []
    const waiting = test.fetch('t', 1, { maxWaitMs: forEver }).then((part) => order.push(...valuesOf(part.records)))
    await test.produce('t', batchOf(['elsewhere']), { partition: 1 })
    order.push('elsewhere written')
    await test.produce('t', batchOf(['here']))
    await waiting
    expect(order).toEqual(['elsewhere written', 'here'])
  })

  it('gathers minBytes', async () => {
    const test = await openWithTopic()
    const batch = batchOf(['x'.repeat(100)])
    const waiting = test.fetch('t', 1, { maxWaitMs: forEver, minBytes: batch.length * 3 })
    for (let i = 0; i < 3; i++) await test.produce('t', batch)
    expect(valuesOf((await waiting).records)).toHaveLength(3)
  })

  it('does not wait where nothing is asked for', async () => {
    const test = await openWithTopic()
    expect(await test.ask(apiKey.fetch, { minBytes: 1, maxWaitMs: forEver, topics: [] })).toMatchObject({
      errorCode: 0,
      responses: [],
    })
    const topics = [{ topic: 't', topicId: zeroUuid, partitions: [] }]
    expect(await test.ask(apiKey.fetch, { minBytes: 1, maxWaitMs: forEver, topics })).toMatchObject({ errorCode: 0 })
  })

  it('ends with its time, its signal, and the broker', async () => {
    const test = await openWithTopic()
    expect(valuesOf((await test.fetch('t', 1, { maxWaitMs: 1 })).records)).toEqual([])
    const abort = new AbortController()
    const aborted = test.fetch('t', 1, { maxWaitMs: forEver }, { signal: abort.signal })
    abort.abort()
    expect(await aborted).toMatchObject({ errorCode: 0, records: Buffer.alloc(0) })
    expect(await test.fetch('t', 1, { maxWaitMs: forEver }, { signal: abort.signal })).toMatchObject({ errorCode: 0 })
    const closed = test.fetch('t', 1, { maxWaitMs: forEver })
    await test.broker.close()
    expect(await closed).toMatchObject({ errorCode: 0, highWatermark: 1n })
  })
})

describe('WaitingFetches', () => {
  it('leaves nothing behind when a wait ends', async () => {
    const room = new WaitingFetches()
    const partition: Watched = { appendedBytes: 10, waiting: new Set() }
    const wait = { partitions: [partition], startBytes: 10, missingBytes: 5, waitMs: forEver, signal: undefined }
    const waiting = room.wait(wait)
    expect([room.size, partition.waiting.size]).toEqual([1, 1])
    for (const fetch of partition.waiting) fetch.onAppend(4)
    expect(room.size).toBe(1)
    for (const fetch of partition.waiting) fetch.onAppend(1)
    await waiting
    expect([room.size, partition.waiting.size]).toEqual([0, 0])
  })

  it('counts what was appended while the partitions were read', async () => {
    const room = new WaitingFetches()
    const partition: Watched = { appendedBytes: 15, waiting: new Set() }
    await room.wait({ partitions: [partition], startBytes: 10, missingBytes: 5, waitMs: forEver, signal: undefined })
    expect(room.size).toBe(0)
  })

  it('ends all waits of a signal by one listener, whatever waited before', async () => {
    const room = new WaitingFetches()
    const abort = new AbortController()
    const partition: Watched = { appendedBytes: 0, waiting: new Set() }
    const wait = { partitions: [partition], startBytes: 0, missingBytes: 5, waitMs: forEver, signal: abort.signal }
    for (let i = 0; i < 20; i++) {
      const ended = room.wait(wait)
      for (const fetch of partition.waiting) fetch.onAppend(5)
      await ended
    }
    const waiting = [room.wait(wait), room.wait(wait)]
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1)
    expect(room.size).toBe(2)
    abort.abort()
    await Promise.all(waiting)
    expect([room.size, partition.waiting.size]).toEqual([0, 0])
    await room.wait(wait)
    expect(room.size).toBe(0)
  })
})
