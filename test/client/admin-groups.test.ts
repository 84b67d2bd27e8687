import { describe, expect, test } from 'vitest'
import type { SeglogLog } from '../../ts/index.js'
import { append, committedOf, fill, member, newGroup, take, until } from './group-setup.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

/** A group without members that has come to these offsets of topic `t`. */
async function withOffsets(log: SeglogLog, offsets: readonly number[]): Promise<string> {
  const groupId = newGroup()
  const committed = offsets.map((offset, partition) => ({ topic: 't', partition, offset }))
  await log.admin().setOffsets({ groupId, offsets: committed })
  return groupId
}

const offsetsOf = async (log: SeglogLog, groupId: string) => {
  return (await log.admin().fetchOffsets({ groupId })).map(({ partition, offset }) => [partition, Number(offset)])
}

describe('groups', () => {
  test('listed and described: its members and what each has', async () => {
    const log = await openTarget()
    const admin = log.admin()
    const groupId = newGroup()
    await fill(log, 3, 4)
    const members = [
      await member(log, groupId, { clientId: 'a', partitionAssigners: ['roundRobin'] }),
      await member(log, groupId, { clientId: 'b', partitionAssigners: ['roundRobin'], groupInstanceId: 'i' }),
    ]
    const running = members.map((one) => one.run({ eachMessage: () => {} }))
    await until(() => members.every((one) => one.assignment().length === 2))
    await until(async () => (await admin.describeGroup(groupId)).state === 'Stable')
    expect(await admin.listGroups()).toContainEqual({
      ...{ groupId, state: 'Stable', protocolType: 'consumer', type: expect.stringMatching(/^classic$/i) },
    })
    expect((await admin.listGroups({ states: ['Empty'] })).map((one) => one.groupId)).not.toContain(groupId)
    const group = await admin.describeGroup(groupId)
    expect(group).toMatchObject({ groupId, protocolType: 'consumer', assignor: 'roundrobin' })
    expect(group.members.map(({ topics }) => topics)).toEqual([['t'], ['t']])
    const byClient = new Map(group.members.map((one) => [one.clientId, one]))
    expect(byClient.get('a')).toMatchObject({ groupInstanceId: null, assignment: members[0].assignment() })
    expect(byClient.get('b')).toMatchObject({ groupInstanceId: 'i', assignment: members[1].assignment() })
    expect((await admin.describeGroups()).map((one) => one.groupId)).toContain(groupId)
    await Promise.all([...members.map((one) => one.close()), ...running])
  })

  test('deleted when it has no members', async () => {
    const log = await openTarget()
    const admin = log.admin()
    const groupId = newGroup()
    await fill(log, 3)
    const consumer = await member(log, groupId)
    await take(consumer, 2)
    expect(await rejection(admin.deleteGroup({ groupId }))).toMatchObject({ code: 'NON_EMPTY_GROUP' })
    await consumer.close()
    await admin.deleteGroup({ groupId })
    expect(await rejection(admin.describeGroup(groupId))).toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
    expect(await rejection(admin.deleteGroup({ groupId }))).toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
    await admin.deleteGroup({ groupId, ifExists: true })
    expect(await committedOf(log, groupId)).toBe(null)
  })

  test('some of several', async () => {
    const log = await openTarget()
    await fill(log, 3)
    const groupId = await withOffsets(log, [1])
    const missing = newGroup()
    const error = await rejection(log.admin().deleteGroups({ groupIds: [groupId, missing] }))
    expect(error).toMatchObject({ code: 'GROUP_ID_NOT_FOUND', results: [{ groupId }, { groupId: missing }] })
    expect((await log.admin().listGroups()).map((one) => one.groupId)).not.toContain(groupId)
  })
})

describe('offsets', () => {
  test('set, fetched, deleted', async () => {
    const log = await openTarget()
    const admin = log.admin()
    await fill(log, 10, 3)
    const groupId = newGroup()
    await admin.setOffsets({
      groupId,
      offsets: [
        { topic: 't', partition: 2, offset: 4n, metadata: 'why' },
        { topic: 't', partition: 0, offset: 2 },
      ],
    })
    expect(await admin.fetchOffsets({ groupId })).toEqual([
      { topic: 't', partition: 0, offset: 2n, leaderEpoch: -1, metadata: '' },
      { topic: 't', partition: 2, offset: 4n, leaderEpoch: -1, metadata: 'why' },
    ])
    const all = await admin.fetchOffsets({ groupId, topics: [{ topic: 't' }] })
    expect(all.map(({ offset }) => offset)).toEqual([2n, null, 4n])
    await admin.deleteOffsets({ groupId, topics: [{ topic: 't', partitions: [2] }] })
    expect(await offsetsOf(log, groupId)).toEqual([[0, 2]])
    const unknown = { groupId, offsets: [{ topic: 't', partition: 9, offset: 1 }] }
    expect(await rejection(admin.setOffsets(unknown))).toMatchObject({
      ...{ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 't', partition: 9 },
    })
  })

  test('of a group with members only they may set and delete', async () => {
    const log = await openTarget()
    const admin = log.admin()
    const groupId = newGroup()
    await fill(log, 3)
    const consumer = await member(log, groupId)
    await take(consumer, 2)
    await consumer.commit()
    const offsets = [{ topic: 't', partition: 0, offset: 0 }]
    expect(await rejection(admin.setOffsets({ groupId, offsets }))).toMatchObject({ code: 'NON_EMPTY_GROUP' })
    const reset = admin.resetOffsets({ groupId, to: 'earliest', execute: true })
    expect(await rejection(reset)).toMatchObject({ code: 'NON_EMPTY_GROUP' })
    expect(await admin.resetOffsets({ groupId, to: 'earliest' })).toMatchObject([{ offset: 0n }])
    const deletion = admin.deleteOffsets({ groupId, topics: [{ topic: 't' }] })
    expect(await rejection(deletion)).toMatchObject({ code: 'GROUP_SUBSCRIBED_TO_TOPIC', topic: 't', partition: 0 })
    await consumer.close()
  })
})

describe('resetting', () => {
  test.each([
    [{ to: 'earliest' as const }, [2, 0]],
    [{ to: 'latest' as const }, [10, 10]],
    [{ to: 'offset' as const, offset: 5n }, [5, 5]],
    [{ to: 'offset' as const, offset: 1 }, [2, 1]],
    [{ to: 'offset' as const, offset: 99 }, [10, 10]],
    [{ to: 'timestamp' as const, timestamp: 1_007 }, [7, 7]],
    [{ to: 'timestamp' as const, timestamp: 5_000 }, [10, 10]],
    [{ to: 'shift' as const, by: 2 }, [6, 10]],
    [{ to: 'shift' as const, by: -3n }, [2, 6]],
  ])('%o: told first, done when asked to', async (target, expected) => {
    const log = await openTarget()
    await log.admin().createTopic({ topic: 't', partitions: 2 })
    const messages = [0, 1].flatMap((partition) => {
      return Array.from({ length: 10 }, (_, n) => ({ value: 'v', partition, timestamp: 1_000 + n }))
    })
    await log.producer({ acks: 1 }).send({ topic: 't', messages })
    await log.admin().deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 2n }] })
    const groupId = await withOffsets(log, [4, 9])
    const plan = await log.admin().resetOffsets({ groupId, ...target })
    expect(plan.map(({ partition, committed, offset }) => [partition, committed, Number(offset)])).toEqual([
      [0, 4n, expected[0]],
      [1, 9n, expected[1]],
    ])
    expect(await offsetsOf(log, groupId)).toEqual([
      [0, 4],
      [1, 9],
    ])
    expect(await log.admin().resetOffsets({ groupId, ...target, execute: true })).toEqual(plan)
    expect(await offsetsOf(log, groupId)).toEqual(expected.map((offset, partition) => [partition, offset]))
  })

  test('of partitions that are named, those without an offset too', async () => {
    const log = await openTarget()
    const admin = log.admin()
    await fill(log, 10, 3)
    const groupId = await withOffsets(log, [4])
    const topics = [{ topic: 't', partitions: [0, 2] }]
    expect(await admin.resetOffsets({ groupId, topics, to: 'latest' })).toEqual([
      { topic: 't', partition: 0, committed: 4n, offset: 10n },
      { topic: 't', partition: 2, committed: null, offset: 10n },
    ])
    const shift = admin.resetOffsets({ groupId, topics, to: 'shift', by: 1 })
    expect(await rejection(shift)).toMatchObject({ code: 'INVALID_ARGUMENT', partition: 2 })
    expect(await admin.resetOffsets({ groupId, topics: [{ topic: 't' }], to: 'earliest' })).toHaveLength(3)
    const unknown = admin.resetOffsets({ groupId, topics: [{ topic: 'gone' }], to: 'earliest' })
    expect(await rejection(unknown)).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'gone' })
  })

  test.each([
    [{ groupId: 'g', to: 'offset' }],
    [{ groupId: 'g', to: 'earliest', offset: 1 }],
    [{ groupId: 'g', to: 'sideways' }],
    [{ groupId: 'g' }],
    [{ to: 'earliest' }],
  ])('%o', async (options) => {
    const log = await openTarget()
    expect(await rejection(log.admin().resetOffsets(options as never))).toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('lag', () => {
  test('in offsets and seconds, with who has the partition', async () => {
    const log = await openTarget()
    const admin = log.admin()
    const groupId = newGroup()
    await log.admin().createTopic({ topic: 't', partitions: 3 })
    const old = Date.now() - 100_000
    const messages = [0, 1].flatMap((partition) => {
      return [0, 1, 2].map((n) => ({ value: 'v', partition, timestamp: old + 1_000 * n }))
    })
    await log.producer({ acks: 1, compression: 'gzip' }).send({ topic: 't', messages })
    await admin.setOffsets({
      groupId,
      offsets: [
        { topic: 't', partition: 0, offset: 1 },
        { topic: 't', partition: 1, offset: 3 },
      ],
    })
    const [behind, done, ...none] = await admin.lag(groupId)
    expect(behind).toMatchObject({ groupId, topic: 't', partition: 0, committed: 1n, end: 3n, lag: 2n, memberId: null })
    expect(behind.lagSeconds).toBeGreaterThanOrEqual(99)
    expect(done).toMatchObject({ partition: 1, lag: 0n, lagSeconds: 0 })
    expect(none).toEqual([])
    const consumer = await member(log, groupId, { clientId: 'c' })
    await take(consumer, 1)
    const [, , open] = await admin.lag(groupId)
    expect(open).toMatchObject({ partition: 2, committed: null, lag: null, lagSeconds: null, clientId: 'c' })
    await consumer.close()
    expect((await admin.lag()).filter((one) => one.groupId === groupId)).toHaveLength(3)
    expect(await rejection(admin.lag(newGroup()))).toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
  })

  test('of records that were deleted, and of a topic', async () => {
    const log = await openTarget()
    const admin = log.admin()
    await fill(log, 10)
    const groupId = await withOffsets(log, [2])
    await admin.deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 6n }] })
    expect(await admin.lag(groupId)).toMatchObject([{ committed: 2n, end: 10n, lag: 4n }])
    await admin.deleteTopic({ topic: 't' })
    await until(async () => (await admin.lag(groupId).catch(() => [])).length === 0)
  })

  test('is never negative while records are written and consumed', async () => {
    const log = await openTarget()
    const admin = log.admin()
    const groupId = newGroup()
    await fill(log, 1, 2)
    const consumer = await member(log, groupId, { autoCommitInterval: 1 })
    let count = 0
    const running = consumer.run({ eachMessage: () => void count++ })
    let isOver = false
    const writing = (async () => {
      for (let n = 1; !isOver; n++) await append(log, n, n + 1, 2)
    })()
    await until(() => count > 10)
    for (let looks = 0; looks < 60; looks++) {
      const before = count
      for (const { lag, committed, end, lagSeconds } of await admin.lag(groupId)) {
        if (committed === null) continue
        expect(lag).toBe(end - committed)
        expect(lag! >= 0n && lagSeconds! >= 0).toBe(true)
      }
      await until(() => count > before)
    }
    isOver = true
    await writing
    await consumer.close()
    await running
  })
})
