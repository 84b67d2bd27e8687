import { describe, expect, test } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { rejection } from '../client/rejection.js'
import { FakeCluster } from './fake-broker.js'
import { fetchOf, openTransport } from './open-transport.js'

const batch = Buffer.alloc(61)

function produceOf(topic: string, ...partitions: number[]) {
  const partitionData = partitions.map((index) => ({ index, records: batch }))
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, topicId: zeroUuid, partitionData }],
  }
}

async function withTopic(newest: Record<number, number> = {}) {
  const fake = await FakeCluster.open()
  fake.addTopic('t', 1, 1)
  fake.brokers[0]!.newest = newest
  return { fake, broker: fake.brokers[0]!, transport: await openTransport(fake), id: fake.topics.get('t')!.topicId }
}

describe('topics by id', () => {
  test.each([
    [13, true],
    [12, false],
  ])('Produce %i', async (version, byId) => {
    const { broker, transport, id } = await withTopic({ [apiKey.produce]: version })
    const ok = (index: number) => ({
      index,
      errorCode: 0,
      baseOffset: BigInt(index),
      logAppendTimeMs: -1n,
      logStartOffset: 0n,
      recordErrors: [],
      errorMessage: null,
    })
    broker.handlers[apiKey.produce] = ({ request }) => ({
      // In an order of its own.
      responses: request.topicData.map((topic) => ({
        name: topic.name,
        topicId: topic.topicId,
        partitionResponses: topic.partitionData.map(({ index }) => ok(index)).reverse(),
      })),
    })
    const { responses } = await transport.request(apiKey.produce, produceOf('t', 0, 1))
    const { version: used, request } = broker.of(apiKey.produce)[0]!
    expect(used).toBe(version)
    expect([request.topicData[0]!.name, request.topicData[0]!.topicId]).toEqual(byId ? ['', id] : ['t', zeroUuid])
    expect(responses[0]!.name).toBe('t')
    expect(responses[0]!.partitionResponses.map(({ index }) => index)).toEqual([0, 1])
  })

  test('a fetch by id is answered by name, one entry for each of the request', async () => {
    const { broker, transport, id } = await withTopic()
    const part = (partitionIndex: number) => ({
      partitionIndex,
      errorCode: 0,
      highWatermark: 1n,
      lastStableOffset: 1n,
      logStartOffset: 0n,
      abortedTransactions: null,
      preferredReadReplica: -1,
      records: Buffer.alloc(0),
    })
    broker.handlers[apiKey.fetch] = ({ request }) => ({
      responses: request.topics.map(({ topic, topicId, partitions }) => {
        return { topic, topicId, partitions: partitions.map(({ partition }) => part(partition)) }
      }),
    })
    const one = fetchOf('t', [1])
    const request = { ...one, topics: [...one.topics, ...fetchOf('t', [0]).topics] }
    const { responses } = await transport.request(apiKey.fetch, request)
    const seen = broker.of(apiKey.fetch)[0]!
    expect(seen.version).toBe(18)
    expect(seen.request.topics).toMatchObject([{ topicId: id, partitions: [{ partition: 1 }, { partition: 0 }] }])
    expect(responses.map(({ topic, partitions }) => [topic, partitions[0]!.partitionIndex])).toEqual([
      ['t', 1],
      ['t', 0],
    ])
  })

  test('an older fetch leaves out what it cannot say', async () => {
    const { broker, transport } = await withTopic({ [apiKey.fetch]: 11 })
    broker.handlers[apiKey.fetch] = () => ({ responses: [] })
    const request = fetchOf('t', [0])
    const partitions = [{ ...request.topics[0]!.partitions[0]!, lastFetchedEpoch: 3 }]
    await transport.request(apiKey.fetch, { ...request, topics: [{ ...request.topics[0]!, partitions }] })
    expect(broker.of(apiKey.fetch)[0]).toMatchObject({ version: 11, request: { topics: [{ topic: 't' }] } })
  })

  test('offsets are committed by name while an id is not known', async () => {
    const { broker, transport, id } = await withTopic()
    const commitOf = (name: string) => ({
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1n,
      topics: [
        {
          name,
          topicId: zeroUuid,
          partitions: [{ partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: '' }],
        },
      ],
    })
    broker.handlers[apiKey.offsetCommit] = ({ request }) => ({
      topics: request.topics.map(({ name, topicId }) => ({
        name,
        topicId,
        partitions: [{ partitionIndex: 0, errorCode: 0 }],
      })),
    })
    const first = await transport.request(apiKey.offsetCommit, commitOf('t'))
    const names = {
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    await transport.request(apiKey.metadata, { topics: [{ topicId: zeroUuid, name: 't' }], ...names })
    const second = await transport.request(apiKey.offsetCommit, commitOf('t'))
    expect([first.topics[0]!.name, second.topics[0]!.name]).toEqual(['t', 't'])
    expect(broker.of(apiKey.offsetCommit).map(({ version, request }) => [version, request.topics[0]!.topicId])).toEqual(
      [
        [9, zeroUuid],
        [10, id],
      ],
    )
  })
})

describe('older forms', () => {
  test('OffsetFetch for one group', async () => {
    const { broker, transport } = await withTopic({ [apiKey.offsetFetch]: 7 })
    const found = { partitionIndex: 0, committedOffset: 5n, committedLeaderEpoch: 2, metadata: 'm', errorCode: 0 }
    broker.handlers[apiKey.offsetFetch] = () => ({ topics: [{ name: 't', partitions: [found] }], errorCode: 0 })
    const topics = [{ name: 't', topicId: zeroUuid, partitionIndexes: [0] }]
    const group = (groupId: string) => ({ groupId, memberId: null, memberEpoch: -1, topics })
    const request = { groupId: '', topics: [], groups: [group('a'), group('b')], requireStable: true }
    const { groups } = await transport.request(apiKey.offsetFetch, request)
    expect(
      broker
        .of(apiKey.offsetFetch)
        .map(({ request: { groupId } }) => groupId)
        .sort(),
    ).toEqual(['a', 'b'])
    expect(groups).toMatchObject([
      { groupId: 'a', errorCode: 0, topics: [{ name: 't', partitions: [found] }] },
      { groupId: 'b' },
    ])
  })

  test('FindCoordinator for one key', async () => {
    const { transport, broker } = await withTopic({ [apiKey.findCoordinator]: 3 })
    broker.handlers[apiKey.heartbeat] = () => ({ errorCode: 0 })
    await transport.request(apiKey.heartbeat, { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null })
    expect(broker.of(apiKey.findCoordinator)).toMatchObject([{ version: 3, request: { key: 'g' } }])
  })

  test('LeaveGroup for one member', async () => {
    const { transport, broker } = await withTopic({ [apiKey.leaveGroup]: 2 })
    broker.handlers[apiKey.leaveGroup] = () => ({ errorCode: 0 })
    const member = (memberId: string) => ({ memberId, groupInstanceId: null, reason: null })
    const one = await transport.request(apiKey.leaveGroup, { groupId: 'g', memberId: '', members: [member('m')] })
    expect(broker.of(apiKey.leaveGroup)).toMatchObject([{ request: { memberId: 'm' } }])
    expect(one.members).toEqual([{ memberId: 'm', groupInstanceId: null, errorCode: 0 }])
    const two = { groupId: 'g', memberId: '', members: [member('m'), member('n')] }
    expect(await rejection(transport.request(apiKey.leaveGroup, two))).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('2 members'),
    })
  })

  test('DeleteTopics by name, Metadata of all topics', async () => {
    const { transport, broker, fake } = await withTopic({ [apiKey.deleteTopics]: 3, [apiKey.metadata]: 4 })
    broker.handlers[apiKey.deleteTopics] = ({ request }) => {
      for (const name of request.topicNames) fake.topics.delete(name)
      return {
        responses: request.topicNames.map((name) => ({ name, topicId: zeroUuid, errorCode: 0, errorMessage: null })),
      }
    }
    const topics = [{ name: 't', topicId: zeroUuid }]
    const { responses } = await transport.request(apiKey.deleteTopics, { topics, topicNames: [], timeoutMs: 1000 })
    expect(responses).toMatchObject([{ name: 't', errorCode: 0 }])
    const flags = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }
    const all = await transport.request(apiKey.metadata, { topics: null, allowAutoTopicCreation: false, ...flags })
    expect(all.topics).toEqual([])
  })
})
