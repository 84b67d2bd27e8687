import { describe, expect, it } from 'vitest'
import { openEngine } from '../../../ts/native/open-engine.js'
import { apiKey } from '../../../ts/protocol/apis.js'
import { causeOf } from '../../../ts/protocol/cause.js'
import { errorName } from '../../../ts/protocol/errors.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { batchOf, TestBroker, temporaryDirectory } from '../harness.js'
import { errorOf, TestGroups } from './test-groups.js'

const find = (test: TestBroker, apiVersion: number, keyType = 0) =>
  test.ask(apiKey.findCoordinator, { keyType, key: 'g', coordinatorKeys: ['g', 'h'] }, { apiVersion })

describe('finding the coordinator', () => {
  it('makes the topic and answers at once, in every shape', async () => {
    const test = await TestBroker.open('memory:', { endpoint: () => ({ host: 'here', port: 9092 }) })
    const here = { errorCode: 0, nodeId: 1, host: 'here', port: 9092 }
    const [first, second] = await Promise.all([find(test, 0), find(test, 6)])
    expect(first).toMatchObject({ ...here, coordinators: [] })
    expect(second.coordinators).toMatchObject([
      { key: 'g', ...here },
      { key: 'h', ...here },
    ])
    const topic = await test.describeTopic('__consumer_offsets')
    expect(topic).toMatchObject({ errorCode: 0, isInternal: true })
    expect(topic.partitions).toHaveLength(50)
    const resources = [{ resourceType: 2, resourceName: '__consumer_offsets', configurationKeys: null }]
    const [{ configs }] = (await test.ask(apiKey.describeConfigs, { resources })).results
    const config = Object.fromEntries(configs.map(({ name, value }) => [name, value]))
    expect(config).toMatchObject({ 'cleanup.policy': 'compact', 'segment.bytes': '104857600' })
  })

  it('of transactions and share groups is refused', async () => {
    const test = await TestBroker.open('memory:')
    for (const type of [1, 2, 9]) {
      const { coordinators } = await find(test, 6, type)
      expect(coordinators.map(({ errorCode, nodeId }) => [errorName(errorCode), nodeId])).toEqual([
        ['INVALID_REQUEST', -1],
        ['INVALID_REQUEST', -1],
      ])
    }
    expect(await test.describeTopic('__consumer_offsets')).toMatchObject({ partitions: [] })
  })
})

describe('a broker without groups', () => {
  it('answers about them without making anything', async () => {
    const test = await TestBroker.open('memory:')
    expect((await test.ask(apiKey.listGroups, {})).groups).toEqual([])
    expect(await errorOf(test.ask(apiKey.heartbeat, { groupId: 'g', memberId: 'x' }))).toBe('UNKNOWN_MEMBER_ID')
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: null }]
    expect((await test.ask(apiKey.offsetFetch, { groups })).groups).toEqual([
      { groupId: 'g', topics: [], errorCode: 0 },
    ])
    expect(await test.describeTopic('__consumer_offsets')).toMatchObject({ partitions: [] })
  })

  it('joins and commits make the topic by themselves', async () => {
    const test = await TestBroker.open('memory:')
    await test.createTopic('t')
    const topics = [
      {
        name: 't',
        topicId: zeroUuid,
        partitions: [{ partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }],
      },
    ]
    const answer = await test.ask(apiKey.offsetCommit, { groupId: 'g', topics })
    expect(answer.topics[0].partitions[0].errorCode).toBe(0)
    expect((await test.describeTopic('__consumer_offsets')).partitions).toHaveLength(50)
  })
})

describe('a directory that is only read', () => {
  it('tells what is stored, and takes nothing', async () => {
    const path = temporaryDirectory()
    const before = await TestGroups.open(path)
    await before.it.createTopic('t')
    await before.commit({ t: 3 })
    await before.group('members').stable(2)
    await before.it.broker.close()
    const g = await TestGroups.open(path, { readOnly: true })
    expect(await g.list()).toEqual(['g', 'members'])
    expect(await g.fetch(['t'])).toEqual({ 't/0': 3 })
    expect(await g.commit({ t: 4 })).toEqual(['POLICY_VIOLATION'])
    const refused = await g.join()
    expect(causeOf(refused)?.code).toBe('READ_ONLY')
    expect(errorName(refused.errorCode)).toBe('POLICY_VIOLATION')
    expect(await g.delete('g')).toEqual(['POLICY_VIOLATION'])
    // Nobody is removed for being silent to a reader.
    expect(g.timers.size).toBe(0)
    await g.timers.advance(3_600_000)
    expect(await g.group('members').state()).toBe('Stable')
  })

  it('without groups has none', async () => {
    const path = temporaryDirectory()
    await (await TestBroker.open(path)).broker.close()
    const g = await TestGroups.open(path, { readOnly: true })
    expect(await g.list()).toEqual([])
    expect(await g.fetch(null)).toEqual({})
    expect(await g.it.describeTopic('__consumer_offsets')).toMatchObject({ partitions: [] })
  })
})

describe('closing', () => {
  it('answers what is parked so that clients look elsewhere, and leaves no timer', async () => {
    const g = await TestGroups.open()
    await g.stable(2)
    const joining = await g.joinNew()
    const h = g.group('h')
    const ids = [await h.memberId(), await h.memberId()]
    const joins = ids.map((memberId) => h.join({ memberId }))
    await g.timers.advance(0)
    const [{ leader }] = await Promise.all(joins)
    const syncing = h.sync(ids.find((id) => id !== leader)!, 1)
    await g.group('pending').memberId()
    await g.it.broker.close()
    expect(await errorOf(joining.joined)).toBe('NOT_COORDINATOR')
    expect(await errorOf(syncing)).toBe('NOT_COORDINATOR')
    expect(g.timers.size).toBe(0)
  })

  it('while a partition is being loaded leaves no timer either', async () => {
    const path = temporaryDirectory()
    const before = await TestGroups.open(path)
    await before.stable(3)
    await before.it.broker.close()
    const g = await TestGroups.open(path)
    expect(await g.state()).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await g.it.broker.close()
    expect(g.timers.size).toBe(0)
  })
})

describe('a disk that fails', () => {
  const broken = { failNth: 1, sticky: true, kinds: ['write', 'reserve'], pathIncludes: '__consumer_offsets' } as const

  it('is told to those who commit and to those who share out, and the group goes on when it is well', async () => {
    const g = await TestGroups.open(temporaryDirectory())
    await g.it.createTopic('t')
    const id = await g.memberId()
    const joined = g.join({ memberId: id })
    await g.timers.advance(0)
    await joined
    openEngine().injectFaults({ ...broken, kinds: [...broken.kinds], errno: 'ENOSPC' })
    try {
      expect(await errorOf(g.sync(id, 1, { [id]: 'x' }))).toBe('NOT_COORDINATOR')
      expect(await g.state()).toBe('PreparingRebalance')
      expect(await g.group('h').commit({ t: 1 })).toEqual(['NOT_COORDINATOR'])
      expect(await g.group('h').fetch(['t'])).toEqual({ 't/0': -1 })
    } finally {
      openEngine().injectFaults(null)
    }
    expect(await g.join({ memberId: id })).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(await errorOf(g.sync(id, 2, { [id]: 'x' }))).toBe('NONE')
    expect(await g.group('h').commit({ t: 1 })).toEqual(['NONE'])
  })
})

describe('the topic of the groups', () => {
  it('is not written by clients, and keeps its number of partitions', async () => {
    const g = await TestGroups.open()
    const batch = batchOf([{ key: 'k', value: 'v' }])
    expect(await errorOf(g.it.produce('__consumer_offsets', batch))).toBe('INVALID_TOPIC_EXCEPTION')
    const topics = [{ name: '__consumer_offsets', count: 60, assignments: null }]
    const [grown] = (await g.it.ask(apiKey.createPartitions, { topics })).results
    expect(errorName(grown.errorCode)).toBe('INVALID_REQUEST')
  })

  it('deleted takes all groups; the next call begins anew', async () => {
    const g = await TestGroups.open()
    await g.it.createTopic('t')
    await g.commit({ t: 1 })
    const { ids } = await g.stable(1)
    const joining = await g.joinNew()
    await g.it.ask(apiKey.deleteTopics, { topics: [{ name: '__consumer_offsets', topicId: zeroUuid }] })
    expect(await g.list()).toEqual([])
    expect(await errorOf(joining.joined)).toBe('NOT_COORDINATOR')
    expect(await g.heartbeat(ids[0], 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.commit({ t: 2 })).toEqual(['NONE'])
    expect(await g.fetch(null)).toEqual({ 't/0': 2 })
  })
})
