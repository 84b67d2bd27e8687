import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { operationsNotAsked } from '../../ts/protocol/messages/03-metadata.js'
import { coordinatorType } from '../../ts/protocol/messages/10-find-coordinator.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { batchOf, TestBroker, temporaryDirectory } from './harness.js'

const code = (name: ProtocolErrorName) => protocolErrors[name].code

async function openWith(...topics: [name: string, partitions: number][]): Promise<TestBroker> {
  const test = await TestBroker.open('memory:')
  for (const [name, partitions] of topics) await test.createTopic(name, partitions)
  return test
}

describe('ACL requests', () => {
  it('are SECURITY_DISABLED, once for each creation and filter', async () => {
    const test = await openWith()
    const acl = { principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
    expect(await test.ask(apiKey.describeAcls, {})).toMatchObject({
      errorCode: code('SECURITY_DISABLED'),
      errorMessage: expect.stringContaining('no authorizer'),
      resources: [],
    })
    const creation = { resourceType: 2, resourceName: 't', resourcePatternType: 3, ...acl }
    const created = await test.ask(apiKey.createAcls, { creations: [creation, creation] })
    expect(created.results.map(({ errorCode }) => errorCode)).toEqual(Array(2).fill(code('SECURITY_DISABLED')))
    const filter = {
      resourceTypeFilter: 2,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }
    const deleted = await test.ask(apiKey.deleteAcls, { filters: [filter] })
    expect(deleted.filterResults).toEqual([
      { errorCode: code('SECURITY_DISABLED'), errorMessage: expect.any(String), matchingAcls: [] },
    ])
  })
})

describe('ElectLeaders', () => {
  it('needs no election for what exists, and says what does not', async () => {
    const test = await openWith(['t', 2])
    const topicPartitions = [
      { topic: 't', partitions: [0, 1, 2] },
      { topic: 'no', partitions: [0] },
    ]
    const { errorCode, replicaElectionResults } = await test.ask(apiKey.electLeaders, { topicPartitions })
    expect(errorCode).toBe(0)
    const codes = replicaElectionResults.map(({ partitionResult }) => partitionResult.map((result) => result.errorCode))
    const needless = code('ELECTION_NOT_NEEDED')
    const unknown = code('UNKNOWN_TOPIC_OR_PARTITION')
    expect(codes).toEqual([[needless, needless, unknown], [unknown]])
  })

  it('elects nothing for all partitions, and knows no third kind of election', async () => {
    const test = await openWith(['t', 2])
    const all = await test.ask(apiKey.electLeaders, { topicPartitions: null, electionType: 1 })
    expect(all).toMatchObject({ errorCode: 0, replicaElectionResults: [] })
    const odd = await test.ask(apiKey.electLeaders, { topicPartitions: null, electionType: 2 })
    expect(odd.errorCode).toBe(code('INVALID_REQUEST'))
  })
})

describe('partition reassignments', () => {
  it('end at once here, and cannot go elsewhere', async () => {
    const test = await openWith(['t', 1])
    const move = async (name: string, partitionIndex: number, replicas: number[] | null) => {
      const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
      const { responses } = await test.ask(apiKey.alterPartitionReassignments, { topics })
      return responses[0].partitions[0].errorCode
    }
    expect(await move('t', 0, [1])).toBe(0)
    expect(await move('t', 0, [2])).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect(await move('t', 0, [1, 1])).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect(await move('t', 0, [])).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect(await move('t', 0, null)).toBe(code('NO_REASSIGNMENT_IN_PROGRESS'))
    expect(await move('t', 1, [1])).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await move('no', 0, [1])).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await test.ask(apiKey.listPartitionReassignments, { topics: null })).toMatchObject({
      errorCode: 0,
      topics: [],
    })
  })
})

describe('DescribeClientQuotas', () => {
  const component = (entityType: string, matchType = 2, match: string | null = null) => ({
    entityType,
    matchType,
    match,
  })

  it('finds none', async () => {
    const test = await openWith()
    const filters = [[], [component('user'), component('client-id', 0, 'c')], [component('ip', 1)]]
    for (const components of filters) {
      expect(await test.ask(apiKey.describeClientQuotas, { components })).toMatchObject({ errorCode: 0, entries: [] })
    }
  })

  for (const [what, components, error] of [
    ['without a type', [component('')], 'INVALID_REQUEST'],
    ['of an unknown type', [component('planet')], 'UNSUPPORTED_VERSION'],
    ['of one type twice', [component('user'), component('user')], 'INVALID_REQUEST'],
    ['without the name it matches', [component('user', 0)], 'INVALID_REQUEST'],
    ['with a name it does not match', [component('user', 2, 'a')], 'INVALID_REQUEST'],
    ['of an unknown match', [component('user', 3)], 'INVALID_REQUEST'],
    ['of addresses and users', [component('ip'), component('user')], 'INVALID_REQUEST'],
  ] as const) {
    it(`refuses a filter ${what}`, async () => {
      const test = await openWith()
      const answer = await test.ask(apiKey.describeClientQuotas, { components })
      expect(answer).toMatchObject({ errorCode: code(error), entries: null, errorMessage: expect.any(String) })
    })
  }
})

describe('DescribeQuorum', () => {
  it('names this node as leader and only voter', async () => {
    const test = await TestBroker.open('memory:', { endpoint: () => ({ host: 'here', port: 99 }), clock: () => 5 })
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }]
    const answer = await test.ask(apiKey.describeQuorum, { topics })
    const [quorum, unknown] = answer.topics[0].partitions
    expect(quorum).toMatchObject({ errorCode: 0, leaderId: 1, observers: [] })
    expect(quorum.currentVoters).toEqual([
      {
        replicaId: 1,
        replicaDirectoryId: expect.stringMatching(/^[\w-]{22}$/),
        logEndOffset: 0n,
        lastFetchTimestamp: 5n,
        lastCaughtUpTimestamp: 5n,
      },
    ])
    expect(unknown.errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(answer.nodes).toEqual([{ nodeId: 1, listeners: [{ name: 'INTERNAL', host: 'here', port: 99 }] }])
  })
})

describe('DescribeProducers', () => {
  it('shows the last sequence of each producer, also after a restart', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    await first.createTopic('t', 2)
    const sequence = { producerId: 7, producerEpoch: 1, baseSequence: 0 }
    await first.produce('t', batchOf(['a', 'b'], sequence, 1000))
    await first.produce('t', batchOf(['c'], { ...sequence, baseSequence: 2 }, 2000))
    const seven = {
      producerId: 7n,
      producerEpoch: 1,
      lastSequence: 2,
      lastTimestamp: 2000n,
      coordinatorEpoch: -1,
      currentTxnStartOffset: -1n,
    }
    const ask = async (test: TestBroker) => {
      const topics = [
        { name: 't', partitionIndexes: [0, 1, 2] },
        { name: 'no', partitionIndexes: [0] },
      ]
      return (await test.ask(apiKey.describeProducers, { topics })).topics
    }
    const check = (topics: Awaited<ReturnType<typeof ask>>) => {
      const [zero, one, two] = topics[0].partitions
      expect(zero).toEqual({ partitionIndex: 0, errorCode: 0, errorMessage: null, activeProducers: [seven] })
      expect(one).toMatchObject({ errorCode: 0, activeProducers: [] })
      expect(two.errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
      expect(topics[1].partitions[0].errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    }
    check(await ask(first))
    await first.broker.close()
    check(await ask(await TestBroker.open(path)))
  })
})

describe('ListConfigResources', () => {
  it('lists the kinds asked for, and only client metrics in version 0', async () => {
    const test = await openWith(['a', 1], ['b', 1])
    const ask = async (resourceTypes: number[], apiVersion = 1) => {
      const answer = await test.ask(apiKey.listConfigResources, { resourceTypes }, { apiVersion })
      return [answer.errorCode, answer.configResources.map((one) => `${one.resourceType} ${one.resourceName}`).sort()]
    }
    expect(await ask([], 0)).toEqual([0, []])
    expect(await ask([])).toEqual([0, ['2 a', '2 b', '4 1', '8 1']])
    expect(await ask([2, 2])).toEqual([0, ['2 a', '2 b']])
    expect(await ask([16, 32])).toEqual([0, []])
    expect(await ask([2, 77])).toEqual([code('UNSUPPORTED_VERSION'), []])
  })
})

describe('DescribeTopicPartitions', () => {
  const pageOf = async (test: TestBroker, request: object) => {
    const { topics, nextCursor } = await test.ask(apiKey.describeTopicPartitions, request)
    const text = topics.map(({ name, errorCode, partitions }) => {
      return `${name} ${errorCode === 0 ? partitions.map(({ partitionIndex }) => partitionIndex).join('') : errorCode}`
    })
    return {
      text,
      next: nextCursor === null ? null : `${nextCursor.topicName} ${nextCursor.partitionIndex}`,
      nextCursor,
    }
  }

  it('describes topics page by page in the order of their names', async () => {
    const test = await openWith(['b', 3], ['a', 2], ['c', 1])
    const first = await pageOf(test, { responsePartitionLimit: 3 })
    expect(first).toMatchObject({ text: ['a 01', 'b 0'], next: 'b 1' })
    const second = await pageOf(test, { responsePartitionLimit: 2, cursor: first.nextCursor })
    expect(second).toMatchObject({ text: ['b 12'], next: 'c 0' })
    expect(await pageOf(test, { cursor: second.nextCursor })).toMatchObject({ text: ['c 0'], next: null })
    expect(await pageOf(test, { responsePartitionLimit: 6 })).toMatchObject({ next: null })
    expect(await pageOf(test, { responsePartitionLimit: -1 })).toMatchObject({ text: ['a 0'], next: 'a 1' })
  })

  it('never answers more partitions than the broker allows', async () => {
    const test = await TestBroker.open('memory:', { config: { 'max.request.partition.size.limit': 2 } })
    await test.createTopic('a', 3)
    expect(await pageOf(test, {})).toMatchObject({ text: ['a 01'], next: 'a 2' })
  })

  it('describes single topics as Metadata does, creating none', async () => {
    const test = await openWith(['t', 1])
    await test.produce('t', batchOf(['x']))
    const topics = ['t', 'no', 'a b'].map((name) => ({ name }))
    const answer = await test.ask(apiKey.describeTopicPartitions, { topics })
    const { topicId, partitions } = await test.describeTopic('t')
    expect(answer.topics).toEqual([
      expect.objectContaining({ name: 'a b', errorCode: code('INVALID_TOPIC_EXCEPTION'), topicId: zeroUuid }),
      expect.objectContaining({ name: 'no', errorCode: code('UNKNOWN_TOPIC_OR_PARTITION'), partitions: [] }),
      {
        errorCode: 0,
        name: 't',
        topicId,
        isInternal: false,
        partitions: [{ ...partitions[0], eligibleLeaderReplicas: [], lastKnownElr: [] }],
        topicAuthorizedOperations: 0b110111111000,
      },
    ])
    expect((await test.describeTopic('no')).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  it('refuses a cursor outside the topics asked for', async () => {
    const test = await openWith(['a', 1], ['b', 1])
    const ask = (topicName: string, partitionIndex: number) =>
      pageOf(test, { topics: [{ name: 'a' }], cursor: { topicName, partitionIndex } })
    const refused = { text: [`a ${code('INVALID_REQUEST')}`], next: null }
    expect(await ask('b', 0)).toMatchObject(refused)
    expect(await ask('a', -1)).toMatchObject(refused)
    expect(await ask('a', 0)).toMatchObject({ text: ['a 0'], next: null })
    expect(await ask('a', 5)).toMatchObject({ text: ['a '], next: null })
  })
})

describe('authorized operations', () => {
  it('are everything where they are asked for, as Kafka answers without an authorizer', async () => {
    const test = await openWith(['t', 1])
    const topics = [{ name: 't', topicId: zeroUuid }]
    const asked = { topics, includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }
    const [topic, cluster] = [0b110111111000, 0b1111110100000]
    expect(await test.ask(apiKey.metadata, asked)).toMatchObject({
      clusterAuthorizedOperations: cluster,
      topics: [{ topicAuthorizedOperations: topic }],
    })
    expect(await test.ask(apiKey.metadata, { topics })).toMatchObject({
      clusterAuthorizedOperations: operationsNotAsked,
      topics: [{ topicAuthorizedOperations: operationsNotAsked }],
    })
    const describeCluster = (includeClusterAuthorizedOperations: boolean) =>
      test.ask(apiKey.describeCluster, { includeClusterAuthorizedOperations })
    expect((await describeCluster(true)).clusterAuthorizedOperations).toBe(cluster)
    expect((await describeCluster(false)).clusterAuthorizedOperations).toBe(operationsNotAsked)
  })
})

describe('DescribeCluster', () => {
  it('is answered for brokers, with their rack, and not for controllers', async () => {
    const test = await TestBroker.open('memory:', { config: { 'broker.rack': 'r1', 'broker.id': 4 } })
    expect(await test.ask(apiKey.describeCluster, {})).toMatchObject({
      errorCode: 0,
      controllerId: 4,
      brokers: [{ brokerId: 4, rack: 'r1', isFenced: false }],
    })
    const ask = async (endpointType: number) => (await test.ask(apiKey.describeCluster, { endpointType })).errorCode
    expect(await ask(2)).toBe(code('MISMATCHED_ENDPOINT_TYPE'))
    expect(await ask(3)).toBe(code('UNSUPPORTED_ENDPOINT_TYPE'))
    expect((await test.ask(apiKey.metadata, { topics: [] })).brokers[0].rack).toBe('r1')
  })
})

describe('DescribeLogDirs', () => {
  it('says -1 where sizes cannot be found out, and answers the rest', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    await first.createTopic('t', 3)
    for (const partition of [0, 1]) await first.produce('t', batchOf(['x']), { partition })
    await first.broker.close()
    const test = await TestBroker.open(path)
    const sizes = async () => {
      const [dir] = (await test.ask(apiKey.describeLogDirs, { topics: [{ topic: 't', partitions: [0, 1, 2, 3] }] }))
        .results
      return { ...dir, sizes: dir.topics[0].partitions.map(({ partitionSize }) => partitionSize) }
    }
    const [, some, none] = (await sizes()).sizes
    expect([none, some > 61n]).toEqual([0n, true])
    rmSync(join(path, 't-0'), { recursive: true })
    writeFileSync(join(path, 't-0'), 'no folder')
    expect((await sizes()).sizes).toEqual([-1n, some, none])
    rmSync(path, { recursive: true })
    expect(await sizes()).toMatchObject({ errorCode: 0, totalBytes: -1n, usableBytes: -1n })
  })
})

describe('what a request names again', () => {
  it('is INVALID_REQUEST to ListOffsets, answered once', async () => {
    const test = await TestBroker.open('memory:')
    await test.createTopic('t', 3)
    const asked = (partitionIndex: number, timestamp: bigint) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp })
    const topics = [
      { name: 't', partitions: [asked(0, -1n), asked(1, -1n), asked(0, -2n)] },
      { name: 'nowhere', partitions: [asked(5, -1n), asked(5, -1n)] },
      { name: 't', partitions: [asked(2, -1n), asked(1, -1n)] },
    ]
    const answer = await test.ask(apiKey.listOffsets, { replicaId: -1, topics })
    const found = answer.topics.map(({ name, partitions }) => [
      name,
      ...partitions.map(({ partitionIndex, errorCode, offset }) => [partitionIndex, errorCode, offset]),
    ])
    const { code } = protocolErrors.INVALID_REQUEST
    expect(found).toEqual([
      ['t', [0, code, -1n], [1, code, -1n], [2, 0, 0n]],
      ['nowhere', [5, code, -1n]],
    ])
  })

  it('is described once', async () => {
    const test = await openWith(['a', 2], ['b', 1])
    const { topicId } = await test.describeTopic('a')
    const [a, b] = ['a', 'b'].map((name) => ({ name, topicId: zeroUuid }))
    const { topics } = await test.ask(apiKey.metadata, { topics: [a, b, a, { name: null, topicId }, b, a] })
    expect(topics.map(({ name }) => name)).toEqual(['a', 'b', 'a'])
    const { groups } = await test.ask(apiKey.describeGroups, { groups: ['g', 'h', 'g'] })
    expect(groups.map(({ groupId }) => groupId)).toEqual(['g', 'h'])
    const [dir] = (
      await test.ask(apiKey.describeLogDirs, {
        topics: [
          { topic: 'a', partitions: [1, 1, 5, -1] },
          { topic: 'a', partitions: [0, 1] },
        ],
      })
    ).results
    expect(dir.topics.map(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))).toEqual([[0, 1]])
  })

  it('has all the configs it was asked for', async () => {
    const test = await openWith(['a', 1], ['b', 1])
    const asked = (resourceName: string, ...configurationKeys: string[]) => ({
      ...{ resourceType: 2, resourceName },
      configurationKeys: configurationKeys.length === 0 ? null : configurationKeys,
    })
    const [retention, cleanup] = ['retention.ms', 'cleanup.policy']
    const resources = [
      asked('a', retention),
      asked('b', retention),
      asked('a', cleanup),
      asked('b'),
      asked('b', cleanup),
    ]
    const { results } = await test.ask(apiKey.describeConfigs, { resources })
    expect(results.map(({ resourceName }) => resourceName)).toEqual(['a', 'b'])
    expect(results[0].configs.map(({ name }) => name)).toEqual([cleanup, retention])
    expect(results[1].configs.length).toBeGreaterThan(20)
  })
})

describe('topics that are asked for twice, or in two ways', () => {
  it('are deleted neither by name and id, nor by neither, nor twice', async () => {
    const test = await openWith(['a', 1], ['b', 1])
    const { topicId } = await test.describeTopic('a')
    const remove = async (...topics: { name: string | null; topicId: string }[]) =>
      (await test.ask(apiKey.deleteTopics, { topics })).responses.map(({ errorCode }) => errorCode)
    const invalid = code('INVALID_REQUEST')
    expect(await remove({ name: 'a', topicId })).toEqual([invalid])
    expect(await remove({ name: null, topicId: zeroUuid })).toEqual([invalid])
    expect(await remove({ name: 'a', topicId: zeroUuid }, { name: null, topicId })).toEqual([invalid, invalid])
    expect(await remove({ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })).toEqual([code('UNKNOWN_TOPIC_ID')])
    const byId = await test.ask(apiKey.deleteTopics, { topics: [{ name: null, topicId }] })
    expect(byId.responses[0]).toMatchObject({ name: 'a', topicId, errorCode: 0 })
    const byName = await test.ask(apiKey.deleteTopics, { topicNames: ['b', 'no'] }, { apiVersion: 5 })
    expect(byName.responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['b', 0],
      ['no', code('UNKNOWN_TOPIC_OR_PARTITION')],
    ])
  })

  it('get no partitions', async () => {
    const test = await openWith(['a', 1], ['b', 1])
    const topics = ['a', 'b', 'a'].map((name) => ({ name, count: 2, assignments: null }))
    const { results } = await test.ask(apiKey.createPartitions, { topics })
    expect(results.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', code('INVALID_REQUEST')],
      ['b', 0],
      ['a', code('INVALID_REQUEST')],
    ])
    expect((await test.describeTopic('a')).partitions).toHaveLength(1)
  })
})

describe("Kafka's own topics", () => {
  it('are made as groups need them, or not at all, when somebody asks for their metadata', async () => {
    const test = await TestBroker.open('memory:', { config: { 'offsets.topic.num.partitions': 3 } })
    const ask = async (name: string) =>
      (await test.ask(apiKey.metadata, { topics: [{ name, topicId: zeroUuid }] })).topics[0]
    const offsets = await ask('__consumer_offsets')
    expect(offsets).toMatchObject({ errorCode: 0, isInternal: true })
    expect(offsets.partitions).toHaveLength(3)
    const found = await test.ask(apiKey.findCoordinator, { coordinatorKeys: ['g'], keyType: coordinatorType.group })
    expect(found.coordinators[0].errorCode).toBe(0)
    expect((await ask('__transaction_state')).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect((await ask('__cluster_metadata')).errorCode).toBe(code('INVALID_TOPIC_EXCEPTION'))
    expect((await test.createTopic('__cluster_metadata')).errorCode).toBe(code('INVALID_TOPIC_EXCEPTION'))
    const request = { topics: [{ name: '__consumer_offsets', partitions: [{ partitionIndex: 0, offset: -1n }] }] }
    const { topics } = await test.ask(apiKey.deleteRecords, request)
    expect(topics[0].partitions[0].errorCode).toBe(code('INVALID_TOPIC_EXCEPTION'))
  })
})

describe('Metadata', () => {
  it('tells a bad name, an unknown id and nothing at all apart without creating anything', async () => {
    const test = await openWith()
    const ask = async (name: string | null, topicId: string, apiVersion: number) => {
      const request = { topics: [{ name, topicId }], allowAutoTopicCreation: false }
      const { errorCode, name: answered } = (await test.ask(apiKey.metadata, request, { apiVersion })).topics[0]
      return [errorCode, answered]
    }
    const id = 'AAAAAAAAAAAAAAAAAAAAAQ'
    expect(await ask('a b', zeroUuid, 13)).toEqual([code('INVALID_TOPIC_EXCEPTION'), 'a b'])
    expect(await ask(null, id, 13)).toEqual([code('UNKNOWN_TOPIC_ID'), null])
    expect(await ask(null, id, 10)).toEqual([code('UNKNOWN_TOPIC_ID'), ''])
    expect(await ask(null, zeroUuid, 13)).toEqual([code('INVALID_REQUEST'), null])
    expect((await test.ask(apiKey.metadata, { topics: null })).topics).toEqual([])
  })
})
