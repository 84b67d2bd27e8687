import { describe, expect, it } from 'vitest'
import { apiKey } from '../../../../ts/protocol/apis.js'
import { errorName } from '../../../../ts/protocol/errors.js'
import { batchOf } from '../../harness.js'
import { type TestConsumer, TestConsumers } from './test-consumers.js'

async function open(partitions = 4) {
  const it = await TestConsumers.open()
  await it.createTopic('t', partitions)
  return it
}

async function fetched(consumer: TestConsumer, memberId: string | null, memberEpoch: number) {
  const { groupId } = consumer
  const groups = [{ groupId, memberId, memberEpoch, topics: null }]
  const answer = await consumer.it.groups.it.ask(apiKey.offsetFetch, { groups }, { apiVersion: 9 })
  const [{ errorCode, topics }] = answer.groups
  if (errorCode !== 0) return errorName(errorCode)
  return topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, committedOffset }) => `${name}-${partitionIndex}:${committedOffset}`),
  )
}

describe('offsets of a consumer group', () => {
  it('are committed by members in their epoch', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    expect(await a.commit({ 't/0': 5 })).toEqual(['NONE'])
    expect(await a.commit({ 't/0': 6 }, a.epoch + 1)).toEqual(['STALE_MEMBER_EPOCH'])
    expect(await a.commit({ 't/0': 6 }, a.epoch, 8)).toEqual(['UNSUPPORTED_VERSION'])
    a.id = 'other'
    expect(await a.commit({ 't/0': 6 })).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(await it.groups.commit({ 't/0': 6 })).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(await fetched(a, null, -1)).toEqual(['t-0:5'])
  })

  it('are committed in an earlier epoch for partitions that the member has had since, and for no other', async () => {
    const it = await open(4)
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a])
    const first = a.places
    await it.settle([a, b])
    const [kept] = a.places
    const [lost] = first.filter((place) => !a.owned.has(place))
    expect(a.epoch).toBe(2)
    const place = (name: string) => name.replace('-', '/')
    expect(await a.commit({ [place(kept)]: 1, [place(lost)]: 1 }, 1)).toEqual(['NONE', 'STALE_MEMBER_EPOCH'])
    expect(await a.commit({ [place(kept)]: 2 }, 0)).toEqual(['STALE_MEMBER_EPOCH'])
    expect(await fetched(a, null, -1)).toEqual([`${kept}:1`])
  })

  it('of partitions to be given up are committed until they are', async () => {
    const it = await open(2)
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a])
    await b.step()
    await a.beat()
    expect(await a.commit({ 't/0': 3, 't/1': 4 })).toEqual(['NONE', 'NONE'])
  })

  it('are committed by anybody while there are no members', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    await a.leave()
    expect(await it.groups.commit({ 't/0': 6 })).toEqual(['NONE'])
    expect(await it.groups.fetch(['t/0'])).toEqual({ 't/0': 6 })
  })

  it('are fetched by members in their epoch, and by anybody who names no member', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    await a.commit({ 't/1': 8 })
    expect(await fetched(a, a.id, a.epoch)).toEqual(['t-1:8'])
    expect(await fetched(a, a.id, a.epoch + 1)).toBe('STALE_MEMBER_EPOCH')
    expect(await fetched(a, 'other', a.epoch)).toBe('UNKNOWN_MEMBER_ID')
    expect(await fetched(a, null, -1)).toEqual(['t-1:8'])
  })

  it('of many groups, of either protocol, are fetched at once, each with an error of its own', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    await a.commit({ 't/1': 8 })
    const classic = it.groups.group('classic')
    await classic.commit({ 't/0': 3 })
    const ask = (groupId: string, memberId: string | null, memberEpoch: number) => {
      return { groupId, memberId, memberEpoch, topics: null }
    }
    for (const apiVersion of [9, 10]) {
      const groups = [ask('g', a.id, a.epoch - 1), ask('classic', null, -1), ask('none', null, -1)]
      const answer = await it.groups.it.ask(apiKey.offsetFetch, { groups }, { apiVersion })
      const found = answer.groups.map(({ groupId, errorCode, topics }) => [
        groupId,
        errorName(errorCode),
        topics.length,
      ])
      expect(found).toEqual([
        ['g', 'STALE_MEMBER_EPOCH', 0],
        ['classic', 'NONE', 1],
        ['none', 'NONE', 0],
      ])
    }
  })

  it('stay when all members have left, and go with the group', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    await a.commit({ 't/0': 5 })
    expect(await it.groups.delete('g')).toEqual(['NON_EMPTY_GROUP'])
    await a.leave()
    expect(await fetched(a, null, -1)).toEqual(['t-0:5'])
    expect(await it.groups.list()).toEqual(['g'])
    expect(await it.groups.delete('g')).toEqual(['NONE'])
    expect(await it.groups.list()).toEqual([])
    expect(await it.groups.fetch(['t/0'])).toEqual({ 't/0': -1 })
    expect(errorName((await it.describe()).errorCode)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('of topics that nobody wants expire from their commit on, and an empty group without any goes', async () => {
    const it = await open()
    await it.createTopic('u', 1)
    const a = it.consumer({ topics: ['t', 'u'] })
    await it.settle([a])
    await a.commit({ 't/0': 5, 'u/0': 6 })
    a.subscribe(['t'])
    await it.settle([a])
    const day = 24 * 3_600_000
    // Nothing but heartbeats, often enough.
    const pass = async (): Promise<void> => {
      await it.groups.timers.advance(40_000)
      await a.beat()
    }
    for (let passed = 0; passed < 7 * day + 20 * 60_000; passed += 40_000) await pass()
    // What a sweep removes is written first, which takes real time, and the next sweep waits for that.
    const left = async (): Promise<unknown> => {
      await pass()
      return fetched(a, null, -1)
    }
    await expect.poll(left).toEqual(['t-0:5'])
    await a.leave()
    const groups = async (): Promise<unknown> => {
      await it.groups.timers.advance(20 * 60_000)
      return it.groups.list()
    }
    await expect.poll(groups).toEqual([])
  }, 60_000)
})

describe('the lag of a consumer group', () => {
  it('is told with the member that has each partition', async () => {
    const it = await open(2)
    await it.groups.it.produce('t', batchOf([{ value: 'a' }, { value: 'b' }, { value: 'c' }]), { partition: 1 })
    const a = it.consumer()
    await it.settle([a])
    await a.commit({ 't/1': 1 })
    const lags = await it.groups.it.broker.groupLag('g')
    expect(lags.map(({ topic, partition, lag, member }) => [topic, partition, lag, member?.id])).toEqual([
      ['t', 0, null, a.id],
      ['t', 1, 2n, a.id],
    ])
  })
})

describe('tools', () => {
  it('list groups by type and state', async () => {
    const it = await open()
    await it.settle([it.consumer()])
    const { groups } = await it.groups.it.ask(apiKey.listGroups, {})
    expect(groups).toEqual([{ groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' }])
    await it.groups.group('c').commit({ 't/0': 1 })
    expect(await it.groups.list()).toEqual(['c', 'g'])
    expect(await it.groups.list([], ['Consumer'])).toEqual(['g'])
    expect(await it.groups.list([], ['classic'])).toEqual(['c'])
    expect(await it.groups.list(['reconciling'])).toEqual([])
    expect(await it.groups.list(['stable'], ['consumer'])).toEqual(['g'])
  })

  it('are told that a group of one protocol is none of the other', async () => {
    const it = await open()
    await it.settle([it.consumer()])
    expect(await it.groups.state()).toBe('GROUP_ID_NOT_FOUND')
    expect((await it.groups.describe(5)).groupState).toBe('Dead')
    await it.groups.group('c').commit({ 't/0': 1 })
    expect(await it.describe('c')).toMatchObject({ errorMessage: 'Group c is not a consumer group.' })
    expect(errorName((await it.describe('none')).errorCode)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('see what each member has and is to have', async () => {
    const it = await open(2)
    const [a, b] = [it.consumer({ instanceId: 'i' }), it.consumer()]
    await it.settle([a])
    await b.step()
    const group = await it.describe()
    expect(group).toMatchObject({
      groupState: 'Reconciling',
      groupEpoch: 2,
      assignmentEpoch: 2,
      assignorName: 'uniform',
    })
    const [first, second] = [a, b].map(({ id }) => group.members.find(({ memberId }) => memberId === id)!)
    expect(first).toMatchObject({ instanceId: 'i', memberEpoch: 1, clientId: 'client', memberType: 1 })
    expect(it.placesOf(first.assignment.topicPartitions)).toEqual(['t-0', 't-1'])
    expect(first.assignment.topicPartitions[0].topicName).toBe('t')
    expect(it.placesOf(first.targetAssignment.topicPartitions).length).toBe(1)
    expect(second.assignment.topicPartitions).toEqual([])
    expect(it.placesOf(second.targetAssignment.topicPartitions).length).toBe(1)
  })

  it('cannot delete offsets of topics that members want', async () => {
    const it = await open(1)
    await it.createTopic('u', 1)
    const a = it.consumer({ topics: null, regex: 't' })
    await it.settle([a])
    const topics = ['t', 'u'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const answer = await it.groups.it.ask(apiKey.offsetDelete, { groupId: 'g', topics })
    expect(answer.topics.map(({ partitions }) => errorName(partitions[0].errorCode))).toEqual([
      'GROUP_SUBSCRIBED_TO_TOPIC',
      'NONE',
    ])
  })
})
