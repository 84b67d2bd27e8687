import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import { offsetQuery } from '../../ts/protocol/messages/02-list-offsets.js'
import { batchOf, TestBroker, temporaryDirectory, valuesOf } from './harness.js'

const count = 300
const indexes = Array.from({ length: count }, (_, i) => i)
const forEver = 3_600_000

function foldersOf(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

async function openWithTopic(path = temporaryDirectory()) {
  const test = await TestBroker.open(path)
  await test.createTopic('t', count)
  return test
}

describe('a partition that nobody wrote to', () => {
  it('is read without getting files', async () => {
    const test = await openWithTopic()
    const descriptors = readdirSync('/proc/self/fd').length
    for (const partition of indexes) {
      expect(await test.fetch('t', 0, { partition, currentLeaderEpoch: 0, lastFetchedEpoch: 0 })).toMatchObject({
        ...{ errorCode: 0, highWatermark: 0n, lastStableOffset: 0n, logStartOffset: 0n, records: Buffer.alloc(0) },
      })
    }
    const ask = async (timestamp: bigint) => {
      const partitions = indexes.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: 0, timestamp }))
      const { topics } = await test.ask(apiKey.listOffsets, { replicaId: -1, topics: [{ name: 't', partitions }] })
      expect(new Set(topics[0].partitions.map(({ errorCode }) => errorCode))).toEqual(new Set([0]))
      return topics[0].partitions[count - 1]
    }
    expect(await ask(offsetQuery.latest)).toMatchObject({ offset: 0n, leaderEpoch: 0 })
    expect(await ask(offsetQuery.earliest)).toMatchObject({ offset: 0n, leaderEpoch: 0 })
    expect(await ask(offsetQuery.maxTimestamp)).toMatchObject({ offset: -1n, timestamp: -1n })
    expect(await ask(0n)).toMatchObject({ offset: -1n, timestamp: -1n })
    const epochs = indexes.map((partition) => ({ partition, currentLeaderEpoch: 0, leaderEpoch: 0 }))
    const ended = await test.ask(apiKey.offsetForLeaderEpoch, { topics: [{ topic: 't', partitions: epochs }] })
    expect(ended.topics[0].partitions[7]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 0n })
    const records = indexes.map((partitionIndex) => ({ partitionIndex, offset: -1n }))
    const deleted = await test.ask(apiKey.deleteRecords, { topics: [{ name: 't', partitions: records }] })
    expect(deleted.topics[0].partitions[7]).toMatchObject({ errorCode: 0, lowWatermark: 0n })
    const producers = await test.ask(apiKey.describeProducers, { topics: [{ name: 't', partitionIndexes: indexes }] })
    expect(producers.topics[0].partitions[7]).toMatchObject({ errorCode: 0, activeProducers: [] })
    await test.ask(apiKey.describeLogDirs, { topics: null })
    expect(foldersOf(test.broker.path)).toEqual([])
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(descriptors + count / 2)
  })

  it('has no other offset than 0', async () => {
    const test = await openWithTopic()
    expect((await test.fetch('t', 1)).errorCode).toBe(protocolErrors.OFFSET_OUT_OF_RANGE.code)
    expect((await test.fetch('t', 0, { currentLeaderEpoch: 1 })).errorCode).toBe(
      protocolErrors.UNKNOWN_LEADER_EPOCH.code,
    )
  })

  it('gets its files with the first append, which wakes who waits, and keeps the order of those that follow', async () => {
    const test = await openWithTopic()
    const waiting = test.fetch('t', 0, { maxWaitMs: forEver, partition: 5 })
    const values = indexes.map((i) => `record ${i}`)
    const produced = values.map((value) => test.produce('t', batchOf([value]), { partition: 5 }))
    expect((await Promise.all(produced)).map(({ baseOffset }) => baseOffset)).toEqual(indexes.map(BigInt))
    expect(valuesOf((await waiting).records).length).toBeGreaterThan(0)
    expect(valuesOf((await test.fetch('t', 0, { partition: 5 })).records)).toEqual(values)
    expect(foldersOf(test.broker.path)).toEqual(['t-5'])
    expect(await test.listOffset('t', offsetQuery.latest, 5)).toMatchObject({ offset: BigInt(count), leaderEpoch: 0 })
    await test.broker.close()
    const again = await TestBroker.open(test.broker.path)
    expect(valuesOf((await again.fetch('t', 0, { partition: 5 })).records)).toEqual(values)
  })

  it('takes the configs that came while it had no files', async () => {
    const test = await openWithTopic()
    await test.fetch('t', 0)
    const configs = [{ name: 'max.message.bytes', value: '100', configOperation: 0 }]
    await test.ask(apiKey.incrementalAlterConfigs, {
      resources: [{ resourceType: 2, resourceName: 't', configs }],
    })
    const refused = await test.produce('t', batchOf(['x'.repeat(200)]))
    expect(refused.errorCode).toBe(protocolErrors.MESSAGE_TOO_LARGE.code)
    expect((await test.produce('t', batchOf(['small']))).errorCode).toBe(0)
  })

  it('is gone with its topic', async () => {
    const test = await openWithTopic()
    const waiting = test.fetch('t', 0, { maxWaitMs: forEver })
    const deletion = test.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }] })
    const appended = test.produce('t', batchOf(['late']))
    expect((await deletion).responses[0].errorCode).toBe(0)
    await Promise.all([waiting, appended])
    expect(foldersOf(test.broker.path).filter((name) => !name.endsWith('-delete'))).toEqual([])
    expect((await test.fetch('t', 0)).errorCode).toBe(protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code)
  })
})
