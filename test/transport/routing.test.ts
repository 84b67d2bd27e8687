import { describe, expect, test } from 'vitest'
import { apiKey, type RequestOf } from '../../ts/protocol/apis.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import { configResourceType } from '../../ts/protocol/messages/32-describe-configs.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { rejection } from '../client/rejection.js'
import { FakeCluster, type Seen } from './fake-broker.js'
import { listOffsets, openTransport } from './open-transport.js'

const { NOT_LEADER_OR_FOLLOWER, NOT_COORDINATOR, NOT_CONTROLLER, COORDINATOR_LOAD_IN_PROGRESS } = protocolErrors

/** Answers every partition with an offset that tells who answered. */
function offsets(nodeId: number, errorCode = (_partition: number) => 0) {
  return ({ request }: Seen<2>) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const offset = BigInt(nodeId * 100 + partitionIndex)
        return { partitionIndex, errorCode: errorCode(partitionIndex), timestamp: -1n, offset, leaderEpoch: 0 }
      }),
    })),
  })
}

async function withLeaders(...leaders: number[]) {
  const fake = await FakeCluster.open(Math.max(...leaders))
  fake.addTopic('t', ...leaders)
  for (const broker of fake.brokers) broker.handlers[apiKey.listOffsets] = offsets(broker.nodeId)
  return fake
}

describe('partition leaders', () => {
  test('a request is divided among them and answered in its own order', async () => {
    const fake = await withLeaders(1, 2, 3, 2)
    fake.addTopic('u', 3)
    const transport = await openTransport(fake)
    const request = listOffsets('t', 3, 0, 2, 1)
    const both = { ...request, topics: [...request.topics, ...listOffsets('u', 0).topics] }
    const { topics } = await transport.request(apiKey.listOffsets, both)
    expect(topics.map(({ name, partitions }) => [name, ...partitions.map(({ offset }) => Number(offset))])).toEqual([
      ['t', 203, 100, 302, 201],
      ['u', 300],
    ])
    expect(fake.node(2).of(apiKey.listOffsets)[0]!.request.topics).toHaveLength(1)
  })

  test('a partition that has moved is asked for where it is now, the others are not asked again', async () => {
    const fake = await withLeaders(1, 2)
    const transport = await openTransport(fake)
    await transport.request(apiKey.listOffsets, listOffsets('t', 0, 1))
    fake.node(2).handlers[apiKey.listOffsets] = offsets(2, () => NOT_LEADER_OR_FOLLOWER.code)
    fake.move('t', 1, 1)
    const { topics } = await transport.request(apiKey.listOffsets, listOffsets('t', 0, 1))
    expect(topics[0]!.partitions.map(({ offset, errorCode }) => [offset, errorCode])).toEqual([
      [100n, 0],
      [101n, 0],
    ])
    const asked = fake
      .node(1)
      .of(apiKey.listOffsets)
      .map(({ request }) => request.topics[0]!.partitions.length)
    expect(asked).toEqual([1, 1, 1])
    expect(transport.nodeOf('t', 1)).toBe(1)
  })

  test('an older answer of a broker that is behind does not take a leader back', async () => {
    const fake = await withLeaders(1, 2)
    const transport = await openTransport(fake)
    await transport.request(apiKey.listOffsets, listOffsets('t', 0, 1))
    fake.move('t', 0, 2)
    const ask = { topics: [{ topicId: zeroUuid, name: 't' }], allowAutoTopicCreation: false }
    const flags = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }
    await transport.request(apiKey.metadata, { ...ask, ...flags })
    expect(transport.nodeOf('t', 0)).toBe(2)
    fake.topics.get('t')!.partitions[0] = { leaderId: 1, leaderEpoch: 0 }
    await transport.request(apiKey.metadata, { ...ask, ...flags })
    expect(transport.nodeOf('t', 0)).toBe(2)
  })

  test('topics and partitions that are not there', async () => {
    const fake = await withLeaders(1)
    const transport = await openTransport(fake)
    const code = protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code
    for (const request of [listOffsets('no', 0), listOffsets('t', 5)]) {
      const { topics } = await transport.request(apiKey.listOffsets, request)
      expect(topics[0]!.partitions).toMatchObject([{ errorCode: code, offset: -1n }])
    }
  })

  test('a partition without a leader is waited for as long as the call may take', async () => {
    const fake = await withLeaders(1)
    fake.topics.get('t')!.partitions[0]!.leaderId = -1
    const transport = await openTransport(fake)
    const asked = transport.request(apiKey.listOffsets, listOffsets('t', 0))
    await fake.node(1).received(apiKey.metadata, 4)
    fake.topics.get('t')!.partitions[0]!.leaderId = 1
    expect((await asked).topics[0]!.partitions).toMatchObject([{ errorCode: 0 }])
    fake.topics.get('t')!.partitions[0]!.leaderId = -1
    fake.topics.get('t')!.partitions[0]!.leaderEpoch = 1
    const broken = offsets(1, () => NOT_LEADER_OR_FOLLOWER.code)
    fake.node(1).handlers[apiKey.listOffsets] = broken
    const given = await transport.request(apiKey.listOffsets, listOffsets('t', 0), { timeoutMs: 500 })
    expect(given.topics[0]!.partitions[0]!.errorCode).not.toBe(0)
  })

  test('one leader out of reach: the others answer all the same', async () => {
    const fake = await withLeaders(1, 2)
    const transport = await openTransport(fake)
    await transport.request(apiKey.listOffsets, listOffsets('t', 0, 1))
    await fake.node(2).stop()
    const request = listOffsets('t', 0, 1)
    const { topics } = await transport.request(apiKey.listOffsets, request, { timeoutMs: 1_000 })
    expect(topics[0]!.partitions).toMatchObject([
      { errorCode: 0, offset: 100n },
      { errorCode: protocolErrors.NETWORK_EXCEPTION.code },
    ])
  })
})

function heartbeat(groupId: string): RequestOf<12> {
  return { groupId, generationId: 1, memberId: 'm', groupInstanceId: null }
}

describe('coordinators', () => {
  test('found once, and again when they have moved', async () => {
    const fake = await FakeCluster.open(2)
    let coordinator = 2
    fake.coordinator = () => coordinator
    for (const broker of fake.brokers) {
      broker.handlers[apiKey.heartbeat] = () => ({
        errorCode: broker.nodeId === coordinator ? 0 : NOT_COORDINATOR.code,
      })
    }
    const transport = await openTransport(fake)
    for (let n = 0; n < 3; n++)
      expect(await transport.request(apiKey.heartbeat, heartbeat('g'))).toMatchObject({ errorCode: 0 })
    coordinator = 1
    expect(await transport.request(apiKey.heartbeat, heartbeat('g'))).toMatchObject({ errorCode: 0 })
    const lookUps = fake.brokers.flatMap((broker) => broker.of(apiKey.findCoordinator))
    expect(lookUps).toHaveLength(2)
    expect(fake.node(2).of(apiKey.heartbeat)).toHaveLength(4)
    expect(fake.node(1).of(apiKey.heartbeat)).toHaveLength(1)
  })

  test('one that loads is asked again, one that is lost is looked up again', async () => {
    const fake = await FakeCluster.open(2)
    const transport = await openTransport(fake)
    let answers = 0
    fake.node(1).handlers[apiKey.heartbeat] = () => {
      return { errorCode: ++answers < 3 ? COORDINATOR_LOAD_IN_PROGRESS.code : 0 }
    }
    fake.node(2).handlers[apiKey.heartbeat] = () => ({ errorCode: 0 })
    expect(await transport.request(apiKey.heartbeat, heartbeat('g'))).toMatchObject({ errorCode: 0 })
    fake.coordinator = () => 2
    await fake.node(1).stop()
    expect(await transport.request(apiKey.heartbeat, heartbeat('g'))).toMatchObject({ errorCode: 0 })
    expect(fake.node(2).of(apiKey.heartbeat)).toHaveLength(1)
  })

  test('none yet: asked for until there is one, or the time is over', async () => {
    const fake = await FakeCluster.open()
    const transport = await openTransport(fake)
    let isThere = false
    const { code } = protocolErrors.COORDINATOR_NOT_AVAILABLE
    const nobody = { key: 'g', nodeId: -1, host: '', port: -1, errorCode: code, errorMessage: null }
    fake.node(1).handlers[apiKey.findCoordinator] = (seen) =>
      isThere ? fake.findCoordinator(seen) : { coordinators: [nobody] }
    fake.node(1).handlers[apiKey.heartbeat] = () => ({ errorCode: 0 })
    const late = rejection(transport.request(apiKey.heartbeat, heartbeat('g'), { timeoutMs: 1_000 }))
    expect(await late).toMatchObject({ code: 'COORDINATOR_NOT_AVAILABLE', retriable: true })
    const asked = transport.request(apiKey.heartbeat, heartbeat('g'))
    isThere = true
    expect(await asked).toMatchObject({ errorCode: 0 })
  })

  test('a join that waits delays no heartbeat', async () => {
    const fake = await FakeCluster.open()
    const transport = await openTransport(fake)
    const times = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000 }
    const member = { memberId: '', groupInstanceId: null, protocolType: 'consumer', protocols: [], reason: null }
    const joining = transport.request(apiKey.joinGroup, { groupId: 'g', ...times, ...member })
    const [seen] = await fake.node(1).received(apiKey.joinGroup)
    fake.node(1).handlers[apiKey.heartbeat] = () => ({ errorCode: 0 })
    await transport.request(apiKey.heartbeat, heartbeat('g'))
    seen!.answer({ errorCode: 0, memberId: 'm', protocolName: 'range', leader: 'm', members: [] })
    expect(await joining).toMatchObject({ memberId: 'm' })
  })

  test('several groups, each of its own coordinator, in the order of the request', async () => {
    const fake = await FakeCluster.open(2)
    fake.coordinator = (group) => (group === 'b' ? 2 : 1)
    for (const broker of fake.brokers) {
      broker.handlers[apiKey.deleteGroups] = ({ request }) => ({
        results: request.groupsNames.map((groupId) => ({ groupId, errorCode: broker.nodeId })),
      })
    }
    const transport = await openTransport(fake)
    const { results } = await transport.request(apiKey.deleteGroups, { groupsNames: ['a', 'b', 'c'] })
    expect(results).toEqual([
      { groupId: 'a', errorCode: 1 },
      { groupId: 'b', errorCode: 2 },
      { groupId: 'c', errorCode: 1 },
    ])
  })
})

describe('other brokers', () => {
  test('the controller, and the next one when it is none any more', async () => {
    const fake = await FakeCluster.open(2)
    for (const broker of fake.brokers) {
      broker.handlers[apiKey.createPartitions] = ({ request }) => ({
        results: request.topics.map(({ name }) => {
          const errorCode = broker.nodeId === fake.controllerId ? 0 : NOT_CONTROLLER.code
          return { name, errorCode, errorMessage: null }
        }),
      })
    }
    const transport = await openTransport(fake)
    const request = { topics: [{ name: 't', count: 2, assignments: null }], timeoutMs: 1000, validateOnly: true }
    await transport.request(apiKey.createPartitions, request)
    fake.controllerId = 2
    const { results } = await transport.request(apiKey.createPartitions, request)
    expect(results).toMatchObject([{ errorCode: 0 }])
    expect(fake.node(1).of(apiKey.createPartitions)).toHaveLength(2)
    expect(fake.node(2).of(apiKey.createPartitions)).toHaveLength(1)
  })

  test('all of them, for groups', async () => {
    const fake = await FakeCluster.open(3)
    for (const broker of fake.brokers) {
      const group = {
        groupId: `g${broker.nodeId}`,
        protocolType: 'consumer',
        groupState: 'Stable',
        groupType: 'classic',
      }
      broker.handlers[apiKey.listGroups] = () => ({ errorCode: 0, groups: [group] })
    }
    const transport = await openTransport(fake)
    const { groups } = await transport.request(apiKey.listGroups, { statesFilter: [], typesFilter: [] })
    expect(groups.map(({ groupId }) => groupId).sort()).toEqual(['g1', 'g2', 'g3'])
  })

  test("a broker's own configs", async () => {
    const fake = await FakeCluster.open(2)
    for (const broker of fake.brokers) {
      broker.handlers[apiKey.describeConfigs] = ({ request }) => ({
        results: request.resources.map(({ resourceType, resourceName }) => {
          return { errorCode: 0, errorMessage: `by ${broker.nodeId}`, resourceType, resourceName, configs: [] }
        }),
      })
    }
    const transport = await openTransport(fake)
    const { broker, topic } = configResourceType
    const resources = [
      { resourceType: broker, resourceName: '2', configurationKeys: null },
      { resourceType: topic, resourceName: 't', configurationKeys: null },
      { resourceType: broker, resourceName: '1', configurationKeys: null },
    ]
    const request = { resources, includeSynonyms: false, includeDocumentation: false }
    const { results } = await transport.request(apiKey.describeConfigs, request)
    expect(results.map(({ resourceName }) => resourceName)).toEqual(['2', 't', '1'])
    expect([results[0]!.errorMessage, results[2]!.errorMessage]).toEqual(['by 2', 'by 1'])
    const unknown = { ...request, resources: [{ resourceType: broker, resourceName: '9', configurationKeys: null }] }
    expect(await rejection(transport.request(apiKey.describeConfigs, unknown))).toMatchObject({
      message: 'the cluster has no broker 9; its brokers are 1, 2',
    })
  })
})
