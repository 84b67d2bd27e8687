import { describe, expect, test } from 'vitest'
import { readAll } from './read-all.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

describe('topics', () => {
  test('created, listed, described, deleted', async () => {
    const log = await openTarget()
    const admin = log.admin()
    const created = await admin.createTopic({ topic: 'b', partitions: 3, config: { 'retention.ms': 5000 } })
    expect(created).toMatchObject({ topic: 'b', partitions: 3, created: true })
    await admin.createTopics({ topics: [{ topic: 'a' }, { topic: 'c', partitions: 2 }] })
    expect(await admin.listTopics()).toEqual(['a', 'b', 'c'])
    const described = await admin.describeTopic('b')
    expect(described).toMatchObject({ topic: 'b', topicId: created.topicId, isInternal: false })
    expect(described.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
    await admin.deleteTopics({ topics: ['a', 'c'] })
    await admin.deleteTopic({ topic: 'b' })
    expect(await admin.listTopics()).toEqual([])
  })

  test('existing and missing ones', async () => {
    const admin = (await openTarget()).admin()
    const { topicId } = await admin.createTopic({ topic: 't', partitions: 2 })
    expect(await rejection(admin.createTopic({ topic: 't' }))).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
    expect(await admin.createTopic({ topic: 't', partitions: 5, ifNotExists: true })).toEqual({
      topic: 't',
      topicId,
      partitions: 2,
      created: false,
    })
    for (const call of [
      () => admin.describeTopic('no'),
      () => admin.deleteTopic({ topic: 'no' }),
      () => admin.listOffsets({ topic: 'no' }),
    ]) {
      expect(await rejection(call())).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'no' })
    }
    await admin.deleteTopic({ topic: 'no', ifExists: true })
  })

  test('what can be done is done, and the error tells the rest', async () => {
    const admin = (await openTarget()).admin()
    const error = await rejection(admin.createTopics({ topics: [{ topic: 'good' }, { topic: '..' }] }))
    expect(error).toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION', topic: '..' })
    expect(error.results).toEqual([
      expect.objectContaining({ topic: 'good', created: true }),
      expect.objectContaining({
        topic: '..',
        created: false,
        error: expect.objectContaining({ code: 'INVALID_TOPIC_EXCEPTION' }),
      }),
    ])
    expect(await admin.listTopics()).toEqual(['good'])
  })

  test.each([
    [{ topic: '' }, 'INVALID_TOPIC_EXCEPTION'],
    [{ topic: '.' }, 'INVALID_TOPIC_EXCEPTION'],
    [{ topic: 'x'.repeat(300) }, 'INVALID_TOPIC_EXCEPTION'],
    [{ topic: 't', partitions: -4 }, 'INVALID_PARTITIONS'],
    [{ topic: 't', partitions: 0 }, 'INVALID_PARTITIONS'],
    [{ topic: 't', replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR'],
    [{ topic: 't', config: { 'segment.bytes': 'many' } }, 'INVALID_CONFIG'],
    [{ topic: 't', partition: 3 }, 'MISSPELLED_OPTION'],
    [{ topic: 't', partitions: '3' }, 'INVALID_OPTION'],
    [{ partitions: 3 }, 'INVALID_OPTION'],
  ])('createTopic(%j)', async (options, code) => {
    const admin = (await openTarget()).admin()
    expect(await rejection(admin.createTopic(options as never))).toMatchObject({ name: 'SeglogError', code })
    expect(await admin.listTopics()).toEqual([])
  })

  test('partitions can be added, not taken away', async () => {
    const admin = (await openTarget()).admin()
    await admin.createTopic({ topic: 't', partitions: 2 })
    await admin.createPartitions({ topic: 't', count: 4 })
    expect((await admin.describeTopic('t')).partitions).toHaveLength(4)
    expect(await rejection(admin.createPartitions({ topic: 't', count: 3 }))).toMatchObject({
      code: 'INVALID_PARTITIONS',
    })
    await admin.createPartitions({ topic: 't', count: 9, validateOnly: true })
    expect((await admin.describeTopic('t')).partitions).toHaveLength(4)
  })
})

describe('configs', () => {
  test('described, altered, reset', async () => {
    const admin = (await openTarget()).admin()
    await admin.createTopic({ topic: 't', config: { 'retention.ms': '5000' } })
    const before = await admin.describeConfigs({ topic: 't', names: ['retention.ms', 'cleanup.policy'] })
    expect(before['retention.ms']).toMatchObject({ value: '5000', source: 'topic', isDefault: false })
    expect(before['cleanup.policy']).toMatchObject({ value: 'delete', isDefault: true })
    await admin.alterConfigs({ topic: 't', set: { 'max.message.bytes': 2000 }, reset: ['retention.ms'] })
    // A cluster's brokers hear of it a moment after its controller.
    const value = async () => (await admin.describeConfigs({ topic: 't' }))['max.message.bytes']?.value
    await expect.poll(value).toBe('2000')
    const after = await admin.describeConfigs({ topic: 't' })
    expect(after['max.message.bytes']).toMatchObject({ value: '2000', isDefault: false })
    expect(after['retention.ms']).toMatchObject({ isDefault: true })
  })

  test('an unknown or invalid one changes nothing', async () => {
    const admin = (await openTarget()).admin()
    await admin.createTopic({ topic: 't' })
    const set = { 'retention.ms': 1, 'max.mesage.bytes': 5 }
    const error = await rejection(admin.alterConfigs({ topic: 't', set }))
    // Kafka's protocol has one code for both.
    expect(error.code).toMatch(/^(UNKNOWN|INVALID)_CONFIG$/)
    expect(error.message).toContain('max.mesage.bytes')
    expect((await admin.describeConfigs({ topic: 't' }))['retention.ms'].isDefault).toBe(true)
  })
})

describe('offsets', () => {
  test('ends, times, deletion', async () => {
    const log = await openTarget()
    const admin = log.admin()
    await admin.createTopic({ topic: 't', partitions: 2 })
    const messages = [10, 20, 30].map((timestamp) => ({ value: 'v', partition: 1, timestamp }))
    await log.producer({ acks: 1 }).send({ topic: 't', messages })
    expect(await admin.listOffsets({ topic: 't' })).toEqual([
      { topic: 't', partition: 0, earliest: 0n, latest: 0n },
      { topic: 't', partition: 1, earliest: 0n, latest: 3n },
    ])
    expect(await admin.listOffsets({ topic: 't', timestamp: 15 })).toMatchObject([
      { partition: 0, offset: null, timestamp: null },
      { partition: 1, offset: 1n, timestamp: 20 },
    ])
    expect(await admin.listOffsets({ topic: 't', partitions: [1], timestamp: 'max' })).toMatchObject([
      { offset: 2n, timestamp: 30 },
    ])
    expect(await admin.deleteRecords({ topic: 't', partitions: [{ partition: 1, offset: 2n }] })).toEqual([
      { topic: 't', partition: 1, earliest: 2n },
    ])
    expect((await readAll(log, 't')).map(({ offset }) => offset)).toEqual([2n])
    await admin.deleteRecords({ topic: 't', partitions: [{ partition: 1, offset: 'latest' }] })
    expect(await admin.listOffsets({ topic: 't', partitions: [1] })).toMatchObject([{ earliest: 3n, latest: 3n }])
    const tooFar = admin.deleteRecords({ topic: 't', partitions: [{ partition: 1, offset: 9n }] })
    expect(await rejection(tooFar)).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 1 })
  })

  test('a partition that is not there', async () => {
    const admin = (await openTarget()).admin()
    await admin.createTopic({ topic: 't', partitions: 1 })
    expect(await rejection(admin.listOffsets({ topic: 't', partitions: [5] }))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      partition: 5,
    })
  })
})

test('after the log is closed', async () => {
  const log = await openTarget()
  const admin = log.admin()
  await log.close()
  expect(await rejection(admin.listTopics())).toMatchObject({ code: 'CLOSED' })
  expect(() => log.admin()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
})
